"""How many requests an organization may make in how many seconds: `1000/3600`, or `0` for no limit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

PATTERN = r"0|[1-9]\d{0,8}/[1-9]\d{0,6}"
NAME = "default"  # of the policy, in the headers
FEW = 120  # requests of which each keeps its own time; more than these share it by 120ths of the window


@dataclass(frozen=True)
class Quota:
    """At most `requests` within any `window` seconds; no requests at all stands for no limit."""

    requests: int
    window: int

    def __bool__(self) -> bool:
        return self.requests > 0

    @cached_property
    def policy(self) -> bytes:
        """The value of the header RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers)."""
        return f'"{NAME}";q={self.requests};w={self.window}'.encode()

    @cached_property
    def most_leased(self) -> int:
        """Requests that a process may hold in hand: 5 %. Below 20 it is none, and each request is counted at once."""
        return self.requests // 20

    @cached_property
    def part(self) -> int:
        """Milliseconds within which requests may share one time, the last one's: they leave late rather than early."""
        return max(1, self.window * 1000 // FEW) if self.requests > FEW else 1


UNLIMITED = Quota(0, 0)


@lru_cache(maxsize=1024)
def parse_quota(text: str) -> Quota:
    """Raises ValueError for what is not `requests/seconds` or `0`."""
    if not re.fullmatch(PATTERN, text, re.ASCII):
        raise ValueError("must be requests/seconds, such as 1000/3600, or 0 for no limit")
    requests, _, window = text.partition("/")
    return Quota(int(requests), int(window)) if window else UNLIMITED
