"""How an MCP server asks for other credentials than those it was given."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_CHALLENGE = 2_000  # characters of the header that are kept


@dataclass(frozen=True, slots=True)
class Challenge:
    """How a server asked for a sign-in: the status, and its header `WWW-Authenticate`."""

    status: int = 401
    header: str = ""

    @property
    def wants_more(self) -> bool:
        """A token is there and good, but for less than the server wants (RFC 6750, 3.1)."""
        return self.status == 403 and "insufficient_scope" in self.header
