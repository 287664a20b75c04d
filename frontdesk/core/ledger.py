"""What is known of one organization's requests within the window: the counted ones, and those leased to processes.

Pure: `request_limits.py` keeps it in a row of PostgreSQL, locked for each change. All times are milliseconds of the
database's clock, so that machines need not agree on theirs.

Why there are never more than `requests` within any window: a lease counts whole from the moment when it is given until
its process has told what became of it, or else until a window after the last moment when it could be used. So at
each grant, counted and leased requests together hold everything that can fall into a window that ends later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from .errors import Json
from .quota import Quota

LONGEST_LEASE = 30_000  # milliseconds; what a killed process held counts that much longer than a window
Uses = list[list[int]]  # [milliseconds of the last one, how many], in order


@dataclass(frozen=True, slots=True)
class Grant:
    """What a process got: `counted` for those who wait now, `leased` in hand until `expires`.

    `free` are the requests left to all, `back` is when the next counted ones leave the window, `enough` when the
    refused ones could be counted; `now` is the ledger's time.
    """

    now: int
    counted: int
    leased: int
    expires: int
    free: int
    back: int
    enough: int
    current: int


@dataclass(slots=True)
class Ledger:
    """One organization's row. `leases` are [how many, until when] by process."""

    at: int = 0
    uses: Uses = field(default_factory=list)
    leases: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Ledger:
        uses = cast("Uses", value.get("uses", []))
        return cls(cast(int, value.get("at", 0)), uses, cast("dict[str, list[int]]", value.get("leases", {})))

    def as_json(self) -> dict[str, Json]:
        return cast("dict[str, Json]", {"at": self.at, "uses": self.uses, "leases": self.leases})

    @property
    def current(self) -> int:
        """All that counts against the limit now."""
        return sum(count for _, count in self.uses) + sum(count for count, _ in self.leases.values())

    def take(self, quota: Quota, process: str, spent: Uses, now: int, waiting: int, wish: int) -> Grant:
        """Settle what `process` has spent of its lease, count those who wait, and lease up to `wish` more."""
        self.at = now = max(self.at, now)  # a clock that was put back must not bring old requests back
        window = quota.window * 1000
        # Also where the lease is gone already: what was really used is counted twice rather than not at all.
        self.leases.pop(process, None)
        self._count(quota, spent)
        self._slide(now - window)
        counted = max(0, min(waiting, quota.requests - self.current))
        if counted:
            self._count(quota, [[now, counted]])
        free = max(0, quota.requests - self.current)
        # A quarter of what is left at most, so that nobody holds the last ones while another process is refused.
        leased = min(wish, quota.most_leased, free // 4)
        expires = now + min(window // 20, LONGEST_LEASE)
        if leased:
            self.leases[process] = [leased, expires]
        back, enough = self._returns(quota, now)
        return Grant(now, counted, leased, expires, free - leased, back, enough, self.current)

    def _slide(self, until: int) -> None:
        """Forget what has left the window."""
        self.uses = [entry for entry in self.uses if entry[0] > until]
        self.leases = {process: lease for process, lease in self.leases.items() if lease[1] > until}

    def _count(self, quota: Quota, spent: Sequence[Sequence[int]]) -> None:
        for moment, count in spent:
            self.uses.append([moment, count])
        self.uses.sort()
        self.uses = merged(self.uses, quota)

    def _returns(self, quota: Quota, now: int) -> tuple[int, int]:
        """When the next requests leave the window, and when one more than is free now can be counted."""
        window = quota.window * 1000
        leaving = sorted([*self.uses, *([expires, count] for count, expires in self.leases.values())])
        over, enough = self.current - quota.requests + 1, now
        for moment, count in leaving:
            if over > 0:
                over, enough = over - count, moment + window
        return (leaving[0][0] + window if leaving else now), enough


def merged(uses: Uses, quota: Quota) -> Uses:
    """Entries of the same part of the window as one, with the time of the last."""
    result: Uses = []
    for moment, count in uses:
        if result and result[-1][0] // quota.part == moment // quota.part:
            result[-1] = [moment, result[-1][1] + count]
        else:
            result.append([moment, count])
    return result
