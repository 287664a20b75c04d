"""Each guard that is taken away is missed by the walks: `make mutations` (some minutes, so not part of `make test`)."""

from __future__ import annotations

import os
import re

import pytest

from tests.flow.mutations import MUTATIONS, Mutation
from tests.flow.test_crash_points import Doom, doom
from tests.flow.walking import drawn, room

__all__ = ["doom"]
MOST = int(os.environ.get("FRONTDESK_WALKS", "200"))


@pytest.mark.skipif("FRONTDESK_MUTATIONS" not in os.environ, reason="make mutations")
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_walks_miss_it(mutation: Mutation, database_url: str, doom: Doom, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation.apply(monkeypatch)
    others: set[str] = set()
    with room(database_url, doom) as where:
        where.ignored = mutation.ignored
        for number in range(MOST):
            fault = where.walk(*drawn(f"m-{number}", mutation.bias))
            if re.search(mutation.caught_by, fault):
                print(f"CAUGHT {mutation.name} | {number + 1} | {fault}")
                return
            others |= {fault[:200]} if fault else set()
    raise AssertionError(f"{mutation.name} survived {MOST} walks; other faults: {sorted(others)[:5]}")
