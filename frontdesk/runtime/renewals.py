"""The leases of all turns that one process waits for, renewed by one statement instead of one for each.

A worker may wait for a thousand models at once. Each turn asks for its own renewal when it is due; the first that does
renews all of them, so that their moments fall together from then on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from frontdesk.core.clock import Clock
from frontdesk.core.database import SOON, Database
from frontdesk.runtime.turns import LEASE

RENEW_EVERY = LEASE.total_seconds() / 3
# A row that is locked belongs to a step of its turn, which renews the lease itself. Waiting for one would let the
# leases of all the others expire.
RENEW = f"""
    UPDATE ai_turns t SET lease_expires_at = $1 FROM (
        SELECT t.organization_id, t.id
        FROM unnest($2::int[], $3::bigint[], $4::text[]) AS h (organization_id, id, token)
        JOIN ai_turns t ON t.organization_id = h.organization_id AND t.id = h.id AND t.lease_token = h.token
        JOIN conversations c ON c.organization_id = t.organization_id AND c.id = t.conversation_id
            AND c.epoch = t.epoch
        WHERE t.status <> 'ended' AND t.superseded_by_message_id IS NULL FOR UPDATE OF t SKIP LOCKED
    ) AS held
    WHERE t.organization_id = held.organization_id AND t.id = held.id RETURNING t.id, {SOON}
"""


@dataclass(slots=True)
class Lease:
    """What a turn is held by, and the moment of the last renewal by the monotonic clock."""

    organization_id: int
    turn_id: int
    token: str
    renewed_at: float


class Renewals:
    """Of one process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._leases: dict[str, Lease] = {}
        self._lock = asyncio.Lock()

    @contextmanager
    def of(self, organization_id: int, turn_id: int, token: str) -> Iterator[Lease]:
        """Keep a lease with the others for as long as the block lasts."""
        lease = self._leases[token] = Lease(organization_id, turn_id, token, self._clock.monotonic())
        try:
            yield lease
        finally:
            del self._leases[token]

    async def wait(self, lease: Lease) -> bool:
        """Until the lease has to be renewed; True where it was.

        False: its row is locked by a step of the turn, or the turn is not ours any more; the caller finds out which.
        """
        while (rest := lease.renewed_at + RENEW_EVERY - self._clock.monotonic()) > 0:
            await self._clock.sleep(rest)
        async with self._lock:
            # Another turn may have renewed it while this one waited for the lock.
            if lease.renewed_at + RENEW_EVERY <= self._clock.monotonic():
                await self._renew_all()
        is_renewed = lease.renewed_at + RENEW_EVERY > self._clock.monotonic()
        if not is_renewed:
            lease.renewed_at = self._clock.monotonic()
        return is_renewed

    async def _renew_all(self) -> None:
        leases = {lease.turn_id: lease for lease in self._leases.values()}
        columns = zip(*((one.organization_id, one.turn_id, one.token) for one in leases.values()), strict=True)
        async with self._database.system() as connection:
            moment = self._clock.monotonic()
            rows = await connection.fetch(RENEW, self._clock.now() + LEASE, *(list(column) for column in columns))
        for row in rows:
            leases[row["id"]].renewed_at = moment
