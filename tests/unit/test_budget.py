"""Prices and days of the model budget."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from frontdesk.core.prices import cost_of
from frontdesk.runtime.budget import day_of


@pytest.mark.parametrize(
    ("tokens", "prices", "cost"),
    [((1_000_000, 0), (Decimal("0.15"), Decimal("0.6")), Decimal("0.15")),
     ((1_000, 500), (Decimal("0.15"), Decimal("0.6")), Decimal("0.00045")),
     ((1_000, 500), (None, Decimal(2)), Decimal("0.001")), ((1_000, 500), (None, None), None)],
)  # fmt: skip
def test_cost(tokens: tuple[int, int], prices: tuple[Decimal | None, Decimal | None], cost: Decimal | None) -> None:
    assert cost_of(*tokens, *prices) == cost


def test_the_day_is_the_one_in_utc() -> None:
    late = datetime(2026, 1, 5, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert day_of(late) == date(2026, 1, 6)
    assert day_of(datetime(2026, 1, 5, 0, 0, tzinfo=UTC)) == date(2026, 1, 5)
