"""Money is exact: rounded half up, never by a float."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.core.amounts import check_money, check_percentage, check_quantity, to_cents
from frontdesk.core.fields import Wrong

ROUNDED = [
    ("0.005", "0.01"), ("0.0049999", "0.00"), ("2.675", "2.68"), ("1.005", "1.01"), ("2.5", "2.50"),
    ("0.30000000000000004", "0.30"), ("99999999999999.995", "100000000000000.00"),
]  # fmt: skip


@pytest.mark.parametrize(("given_", "rounded"), ROUNDED)
def test_a_half_is_rounded_up(given_: str, rounded: str) -> None:
    assert str(check_money(Decimal(given_))) == rounded


@given(st.decimals(0, 10**13, allow_nan=False, places=2))
def test_two_decimals_are_kept_as_they_are(amount: Decimal) -> None:
    assert to_cents(amount) == amount


@pytest.mark.parametrize("value", ["0", "-1", "0.00001", "-0.5"])
def test_a_quantity_is_more_than_nothing_with_few_decimals(value: str) -> None:
    with pytest.raises(Wrong):
        check_quantity(Decimal(value))


@pytest.mark.parametrize("value", ["-0.01", "100.01", "7.00001"])
def test_a_percentage_lies_between_nothing_and_all(value: str) -> None:
    with pytest.raises(Wrong):
        check_percentage(Decimal(value))


@pytest.mark.parametrize("value", ["0", "100", "19.6", "0.2500"])
def test_an_ordinary_percentage_is_kept(value: str) -> None:
    assert check_percentage(Decimal(value)) == Decimal(value)
