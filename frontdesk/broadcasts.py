"""Broadcasts on their way: a worker goes through the frozen recipients, each handed over once with its own key.

Beside the spine: a broadcast is no conversation, but it obeys the same rules. No transaction is open while a provider
is waited for, what was in the air at a crash is tried once more with the same key, and each recipient is looked at
again at the moment of sending.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from frontdesk.channels.protocol import Channel, Outgoing
from frontdesk.core.database import Connection
from frontdesk.core.door import Door
from frontdesk.core.errors import ApiError, Unavailable
from frontdesk.core.events import emit, emit_named
from frontdesk.core.jobs import enqueue
from frontdesk.core.placeholders import fill
from frontdesk.runtime.sweeper import BROADCAST_DOORBELL

BATCH = 50
SEND_WITHIN = timedelta(seconds=60)
PAUSE = timedelta(seconds=30)
MOST_SENDS = 5
LEASE = timedelta(seconds=90)  # the sweeper rings again for a broadcast that nobody has touched for so long

# Claimed rows are nobody else's until `due_at`; a second worker takes the next ones.
CLAIM = """
    WITH next AS (
        SELECT id, status AS was FROM email_broadcast_recipients
        WHERE organization_id = $1 AND email_broadcast_id = $2 AND status IN ('pending', 'sending') AND due_at <= $3
        ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED
    )
    UPDATE email_broadcast_recipients r SET status = 'sending', attempts = r.attempts + 1, due_at = $5, updated_at = $3
    FROM next, contacts p
    WHERE r.organization_id = $1 AND r.id = next.id AND p.organization_id = $1 AND p.id = r.contact_id
    RETURNING r.id, r.contact_id, r.email, r.attempts, r.unsubscribe_key, next.was, p.first_name, p.last_name,
        CASE WHEN p.deleted_at IS NOT NULL THEN 'contact_deleted' WHEN p.opted_out_at IS NOT NULL THEN 'opted_out'
            WHEN EXISTS (SELECT FROM conversations t WHERE t.organization_id = $1 AND t.contact_id = p.id
                AND t.blocked AND t.deleted_at IS NULL) THEN 'contact_blocked' END AS barred
"""
HOLD = """
    UPDATE email_broadcasts SET due_at = $3 WHERE organization_id = $1 AND id = $2 AND status = 'sending'
        AND deleted_at IS NULL RETURNING subject, body_text, body_html, sender_id, created_by_ai_assistant_id
"""
SENDER = "SELECT name, email, inbox_channel_id FROM email_broadcast_senders WHERE organization_id = $1 AND id = $2"
IS_MUTED = """
    SELECT disable_reply OR deleted_at IS NOT NULL FROM ai_assistants WHERE organization_id = $1 AND id = $2
"""
CLOSE = """
    WITH closed AS (
        UPDATE email_broadcast_recipients SET status = $4, reason = $5, external_id = $6, updated_at = $7
        WHERE organization_id = $1 AND id = $3 AND status = 'sending' RETURNING status
    )
    UPDATE email_broadcasts b SET
        sent_count = sent_count + CASE WHEN closed.status = 'sent' THEN 1 ELSE 0 END,
        failed_count = failed_count + CASE WHEN closed.status IN ('failed', 'unknown') THEN 1 ELSE 0 END,
        skipped_count = skipped_count + CASE WHEN closed.status = 'skipped' THEN 1 ELSE 0 END
    FROM closed WHERE b.organization_id = $1 AND b.id = $2
"""
AGAIN = """
    UPDATE email_broadcast_recipients SET status = 'pending', reason = $3, due_at = $4, updated_at = $5
    WHERE organization_id = $1 AND id = $2 AND status = 'sending'
"""
NEXT_DUE = """
    SELECT min(due_at) FROM email_broadcast_recipients
    WHERE organization_id = $1 AND email_broadcast_id = $2 AND status IN ('pending', 'sending')
"""
POSTPONE = """
    UPDATE email_broadcasts SET due_at = $3 WHERE organization_id = $1 AND id = $2 AND status = 'sending' RETURNING id
"""
FINISH = """
    UPDATE email_broadcasts SET status = 'sent', finished_at = $3, updated_at = $3, version = version + 1
    WHERE organization_id = $1 AND id = $2 AND status = 'sending'
    RETURNING sent_count, failed_count, skipped_count
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """What all recipients of a broadcast get, and who carries it."""

    id: int
    organization_id: int
    subject: str
    text: str | None
    html: str | None
    sender_name: str
    sender_email: str
    inbox_channel_id: int


@dataclass(frozen=True)
class Broadcasts:
    """The doorbell's handler. `public_url` is the installation's address, for the link by which people opt out."""

    door: Door
    channel: Channel
    public_url: str

    async def advance(self, organization_id: int, id: int) -> None:
        """Send all that is due, batch by batch. Safe to call twice, late, or on two machines."""
        while (work := await self._claim(organization_id, id)) is not None:
            letter, rows = work
            for row in rows:
                await self._send(letter, row)

    async def _claim(self, organization_id: int, id: int) -> tuple[Letter, list[asyncpg.Record]] | None:
        """The next batch; None where nothing is due, and then the broadcast is at its end or waits."""
        now = self.door.clock.now()
        async with self.door.database.transaction(organization_id) as connection:
            held = await connection.fetchrow(HOLD, organization_id, id, now + LEASE)
            if held is None:
                return None
            rows = await connection.fetch(CLAIM, organization_id, id, now, BATCH, now + SEND_WITHIN)
            if not rows:
                await self._rest(connection, organization_id, id)
                return None
            sender = await connection.fetchrow(SENDER, organization_id, held["sender_id"])
            assert sender is not None
            letter = Letter(
                id, organization_id, held["subject"], held["body_text"], held["body_html"], sender["name"],
                sender["email"], sender["inbox_channel_id"],
            )  # fmt: skip
            assistant = held["created_by_ai_assistant_id"]
            is_muted = assistant is not None and await connection.fetchval(IS_MUTED, organization_id, assistant)
            left = []
            for row in sorted(rows, key=lambda row: int(row["id"])):
                if reason := "reply_disabled" if is_muted else row["barred"]:
                    await self._close(connection, letter, row, "skipped", reason)
                elif row["was"] == "sending" and row["attempts"] > 2 and not self.channel.takes_keys:
                    await self._close(connection, letter, row, "unknown", "delivery_unknown")
                else:
                    left.append(row)
            return letter, left

    async def _send(self, letter: Letter, row: asyncpg.Record) -> None:
        organization_id, now = letter.organization_id, self.door.clock.now()
        try:
            external_id = await self.channel.send(self._mail(letter, row))
        except Unavailable as error:
            async with self.door.database.transaction(organization_id) as connection:
                if row["attempts"] >= MOST_SENDS:
                    await self._close(connection, letter, row, "failed", error.message)
                else:
                    await connection.execute(AGAIN, organization_id, row["id"], error.message, now + PAUSE, now)
        except ApiError as error:
            async with self.door.database.transaction(organization_id) as connection:
                await self._close(connection, letter, row, "failed", error.message)
        else:
            async with self.door.database.transaction(organization_id) as connection:
                await self._close(connection, letter, row, "sent", None, external_id)

    async def _close(
        self, connection: Connection, letter: Letter, row: asyncpg.Record, status: str, reason: str | None,
        external_id: str | None = None,
    ) -> None:  # fmt: skip
        now = self.door.clock.now()
        key = (letter.organization_id, letter.id, row["id"])
        await connection.execute(CLOSE, *key, status, reason, external_id, now)

    async def _rest(self, connection: Connection, organization_id: int, id: int) -> None:
        """Nothing is due: come back when something is, or it is all done."""
        now = self.door.clock.now()
        due_at = await connection.fetchval(NEXT_DUE, organization_id, id)
        if due_at is not None:
            await connection.fetchval(POSTPONE, organization_id, id, due_at)
            await enqueue(connection, BROADCAST_DOORBELL, organization_id, id, delay=max(due_at - now, timedelta(0)))
            return
        counts = await connection.fetchrow(FINISH, organization_id, id, now)
        if counts is not None:
            await emit(connection, organization_id, "email-broadcasts", "updated", id)
            await emit_named(connection, organization_id, "email-broadcasts.sent", id, dict(counts), now)

    def _mail(self, letter: Letter, row: asyncpg.Record) -> Outgoing:
        """One recipient's e-mail, with the link to opt out in its text and, for mail programs, in its headers."""
        link = f"{self.public_url}/unsubscribe/{row['unsubscribe_key']}"
        values = {"first_name": row["first_name"] or "", "last_name": row["last_name"] or ""}
        text = None if letter.text is None else f"{fill(letter.text, values)}\n\n--\n{link}\n"
        safe = {name: html.escape(value) for name, value in values.items()}
        body = None if letter.html is None else f'{fill(letter.html, safe)}<p><a href="{link}">Unsubscribe</a></p>'
        return Outgoing(
            letter.organization_id, 0, row["contact_id"], letter.inbox_channel_id, text or "",
            f"broadcast-{letter.id}-{row['id']}", row["email"], "email",
            subject=" ".join(fill(letter.subject, values).split()), html=body,
            sender={"name": letter.sender_name, "email": letter.sender_email},
            # RFC 8058: one request without a page, from the mail program itself.
            headers={"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        )  # fmt: skip
