"""Sending deliveries to one webhook: signed, each until it arrives or is given up, with no transaction open meanwhile.

Headers and signature are those of the Standard Webhooks specification (https://www.standardwebhooks.com). A delivery is
claimed for a while, so a process that is killed leaves it to be claimed again: with the same `webhook-id`.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from frontdesk.core.clock import Clock
from frontdesk.core.database import Connection, Database
from frontdesk.core.egress import Guard
from frontdesk.core.errors import Json
from frontdesk.core.events import emit, emit_named
from frontdesk.core.vault import SecretUnusable, Vault
from frontdesk.runtime.webhook_post import Answer, Outgoing, WebhookPost

AT_ONCE = 8  # deliveries to one webhook in one process
CLAIMED = timedelta(seconds=45)  # longer than an attempt may last
# Seconds after the first attempt, the second, …; after the last one it is dead. About 41 hours in all.
PAUSES = (5, 30, 120, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600)
JITTER = 0.2  # of a pause at most, on top
LONGEST_RETRY_AFTER = 24 * 3600  # seconds that a receiver may ask for
PATIENCE = timedelta(days=3)  # without one arrival, before the webhook is switched off
GONE = 410  # the receiver wants no more

WEBHOOK = """
    SELECT url, secret_encrypted, previous_secret_encrypted, previous_secret_until, failing_since
    FROM webhooks WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL AND is_active
"""
CLAIM = """
    UPDATE webhook_deliveries d SET due_at = $4, attempts = attempts + 1, updated_at = $3, version = version + 1
    FROM (SELECT id FROM webhook_deliveries WHERE organization_id = $1 AND webhook_id = $2
        AND status IN ('pending', 'failed') AND due_at <= $3 ORDER BY due_at, id LIMIT $5 FOR UPDATE SKIP LOCKED) due
    WHERE d.organization_id = $1 AND d.id = due.id RETURNING d.id, d.event_id, d.body, d.attempts
"""
RECORD = """
    UPDATE webhook_deliveries SET status = $3, due_at = $4, delivered_at = $5, last_status_code = $6,
        last_duration_ms = $7, last_error = $8, last_response = $9, updated_at = $10, version = version + 1
    WHERE organization_id = $1 AND id = $2 AND status IN ('pending', 'failed')
"""
GIVE_UP = """
    UPDATE webhook_deliveries SET status = 'dead', last_error = $3, updated_at = $4, version = version + 1
    WHERE organization_id = $1 AND webhook_id = $2 AND status IN ('pending', 'failed')
"""
# The state of the line is no change of the record: its version stays, so that nobody's If-Match goes stale.
FAILS = "UPDATE webhooks SET failing_since = coalesce(failing_since, $3) WHERE organization_id = $1 AND id = $2"
WORKS = "UPDATE webhooks SET failing_since = NULL WHERE organization_id = $1 AND id = $2"
SWITCH_OFF = """
    UPDATE webhooks SET is_active = false, disabled_reason = $3, updated_at = $4, version = version + 1
    WHERE organization_id = $1 AND id = $2 AND is_active RETURNING url
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A webhook as it is now, its secrets open: the current one first."""

    organization_id: int
    id: int
    url: str
    secrets: tuple[str, ...]
    failing_since: datetime | None


class Webhooks:
    """The bell's handler. Its time is spent waiting for others, so one slow receiver keeps nobody else."""

    def __init__(self, database: Database, clock: Clock, vault: Vault, guard: Guard, chance: random.Random) -> None:
        self.database, self.clock, self.vault, self.chance = database, clock, vault, chance
        self.post = WebhookPost(guard)
        self._running: set[int] = set()

    async def close(self) -> None:
        await self.post.close()

    async def deliver(self, organization_id: int, webhook_id: int) -> None:
        """Send all that is due at the webhook. Once in a process: a second bell leaves it to the first."""
        if webhook_id in self._running:
            return
        self._running.add(webhook_id)
        try:
            while await self._some(organization_id, webhook_id):
                pass
        finally:
            self._running.discard(webhook_id)

    async def _some(self, organization_id: int, webhook_id: int) -> bool:
        """One batch, its attempts at the same time. False: nothing is due, or the receiver is down."""
        async with self.database.transaction(organization_id) as connection:
            line = await self._line(connection, organization_id, webhook_id)
            if line is None:
                return False
            now = self.clock.now()
            claimed = await connection.fetch(CLAIM, organization_id, webhook_id, now, now + CLAIMED, AT_ONCE)
        outgoing = [Outgoing(line.url, row["event_id"], row["body"], line.secrets) for row in claimed]
        answers = await asyncio.gather(*(self.post.send(each, self.clock.now()) for each in outgoing))
        if not answers:
            return False
        async with self.database.transaction(organization_id) as connection:
            for row, answer in zip(claimed, answers, strict=True):
                await self._record(connection, organization_id, row["id"], row["attempts"], answer)
            await self._judge(connection, line, answers)
        # What else is due is tried at the dispatcher's next bell: a receiver that is down is not hammered.
        return any(answer.has_arrived for answer in answers)

    async def _line(self, connection: Connection, organization_id: int, webhook_id: int) -> Line | None:
        now = self.clock.now()
        row = await connection.fetchrow(WEBHOOK, organization_id, webhook_id)
        if row is None:
            await connection.execute(
                GIVE_UP, organization_id, webhook_id, "The webhook is switched off or deleted.", now
            )
            return None
        sealed = [row["secret_encrypted"]]
        if row["previous_secret_until"] is not None and row["previous_secret_until"] > now:
            sealed.append(row["previous_secret_encrypted"])
        try:
            secrets = tuple(self.vault.open(each) for each in sealed)
        except SecretUnusable as error:
            await self._switch_off(connection, organization_id, webhook_id, f"Its secret cannot be used: {error}.")
            return None
        return Line(organization_id, webhook_id, row["url"], secrets, row["failing_since"])

    async def _record(
        self, connection: Connection, organization_id: int, id: int, attempts: int, answer: Answer
    ) -> None:
        now = self.clock.now()
        status, due_at = "delivered", now
        if not answer.has_arrived:
            status = "dead" if attempts > len(PAUSES) else "failed"
            due_at = now + timedelta(seconds=self._pause(attempts, answer.retry_after))
        await connection.execute(
            RECORD, organization_id, id, status, due_at, now if answer.has_arrived else None, answer.status_code,
            answer.duration_ms, answer.error, answer.text, now,
        )  # fmt: skip

    def _pause(self, attempts: int, retry_after: int) -> float:
        """Seconds until the next attempt; never all of them at the same moment."""
        pause = PAUSES[min(attempts, len(PAUSES)) - 1] * (1 + self.chance.random() * JITTER)
        return max(pause, min(retry_after, LONGEST_RETRY_AFTER))

    async def _judge(self, connection: Connection, line: Line, answers: list[Answer]) -> None:
        """Whether the webhook as a whole still works."""
        now = self.clock.now()
        if any(answer.has_arrived for answer in answers):
            if line.failing_since is not None:
                await connection.execute(WORKS, line.organization_id, line.id)
        elif any(answer.status_code == GONE for answer in answers):
            await self._switch_off(connection, line.organization_id, line.id, "The receiver answered 410 Gone.")
        elif line.failing_since is not None and now - line.failing_since >= PATIENCE:
            reason = f"Nothing has arrived for {PATIENCE.days} days."
            await self._switch_off(connection, line.organization_id, line.id, reason)
        else:
            await connection.execute(FAILS, line.organization_id, line.id, now)

    async def _switch_off(self, connection: Connection, organization_id: int, webhook_id: int, reason: str) -> None:
        now = self.clock.now()
        url = await connection.fetchval(SWITCH_OFF, organization_id, webhook_id, reason, now)
        if url is None:
            return
        await connection.execute(GIVE_UP, organization_id, webhook_id, "The webhook was switched off.", now)
        await emit(connection, organization_id, "webhooks", "updated", webhook_id)
        data: dict[str, Json] = {"id": webhook_id, "url": url, "reason": reason}
        await emit_named(connection, organization_id, "webhooks.disabled", webhook_id, data, now)
