"""The e-mail to the person who got a conversation: that it is there, why, and where. No word of the customer's.

Sent by a worker after the commit, tried again while the mail server is away; off where there is no mail server.
"""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage

import asyncpg

from frontdesk.assistants.config import Language
from frontdesk.core.door import Door
from frontdesk.core.errors import Unavailable
from frontdesk.core.jobs import enqueue
from frontdesk.core.mail import MailRefused
from frontdesk.runtime.handoff import NOTICE_DOORBELL
from frontdesk.runtime.handoff_words import why
from frontdesk.runtime.thread import PATHS

# Longer than a sending may take: until then nobody else sends it.
CLAIM_FOR = timedelta(minutes=2)
MOST_ATTEMPTS = 8  # over about twenty minutes; a later mail would only confuse
CLAIM = """
    UPDATE ai_handoffs h SET notice_due_at = $4, notice_attempts = h.notice_attempts + 1
    FROM ai_assistants a, conversations c
    WHERE h.organization_id = $1 AND h.id = $2 AND h.notice_status = 'queued' AND h.notice_due_at <= $3
        AND a.organization_id = $1 AND a.id = h.from_ai_assistant_id
        AND c.organization_id = $1 AND c.id = h.conversation_id
    RETURNING h.to_user_id, h.rule, h.detail, h.conversation_id, h.notice_attempts, a.name AS assistant,
        a.instructions_language AS language, c.kind, c.reference_number,
        c.assigned_user_id IS NOT DISTINCT FROM h.to_user_id AS is_theirs
"""
PERSON = "SELECT email FROM users WHERE id = $1 AND deleted_at IS NULL"
SETTLE = """
    UPDATE ai_handoffs SET notice_status = $3, notice_error = $4, notice_due_at = $5, updated_at = $6,
        version = version + 1
    WHERE organization_id = $1 AND id = $2 AND notice_status = 'queued'
"""
WORDS: dict[Language, dict[str, str]] = {
    "ENG": {
        "subject": "{assistant} has handed {what} to you", "conversation": "a conversation",
        "ticket": "the ticket {number}", "body": "{assistant} has handed {what} to you: {why}.",
    },
    "ESP": {
        "subject": "{assistant} te ha entregado {what}", "conversation": "una conversación",
        "ticket": "el ticket {number}", "body": "{assistant} te ha entregado {what}: {why}.",
    },
}  # fmt: skip


class HandoffNotices:
    """What the worker does when the bell of a notice rings."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def send(self, organization_id: int, handoff_id: int) -> None:
        """Send the mail if it is due. Safe to ring twice, late, or on two machines."""
        if not self.door.mail.is_on:
            return  # another worker may have a server
        now = self.door.clock.now()
        async with self.door.database.transaction(organization_id) as connection:
            row = await connection.fetchrow(CLAIM, organization_id, handoff_id, now, now + CLAIM_FOR)
        if row is None:
            return
        async with self.door.database.system() as connection:
            address = await connection.fetchval(PERSON, row["to_user_id"])
        if address is None or not row["is_theirs"]:
            await self._settle(organization_id, handoff_id, "off", "Somebody else has it by now.", None)
            return
        try:
            await self.door.mail.send(compose(str(address), row, self.door.mail.base_url, organization_id, handoff_id))
        except MailRefused as error:
            await self._settle(organization_id, handoff_id, "failed", str(error), None)
        except Unavailable as error:
            is_last = row["notice_attempts"] >= MOST_ATTEMPTS
            pause = None if is_last else timedelta(seconds=10 * 2 ** row["notice_attempts"])
            await self._settle(organization_id, handoff_id, "failed" if is_last else "queued", error.message, pause)
        else:
            await self._settle(organization_id, handoff_id, "sent", None, None)

    async def _settle(
        self, organization_id: int, handoff_id: int, status: str, said: str | None, pause: timedelta | None
    ) -> None:
        now = self.door.clock.now()
        async with self.door.database.transaction(organization_id) as connection:
            due_at = None if pause is None else now + pause
            await connection.execute(SETTLE, organization_id, handoff_id, status, said, due_at, now)
            if pause is not None:
                await enqueue(connection, NOTICE_DOORBELL, organization_id, handoff_id, delay=pause)


def compose(to: str, row: asyncpg.Record, base_url: str, organization_id: int, handoff_id: int) -> EmailMessage:
    """Plain text. The id stays the same when a mail is sent twice after a crash."""
    language: Language = row["language"]
    words, name = WORDS[language], _one_line(row["assistant"])
    what = words[row["kind"]].format(number=row["reference_number"])
    reason = why(row["rule"], language)
    if row["detail"]:
        reason = f"{reason} ({_one_line(row['detail'])})"
    message = EmailMessage()
    message["To"] = to
    message["Subject"] = words["subject"].format(assistant=name, what=what)
    message["Message-ID"] = f"<hand-off-{organization_id}-{handoff_id}@frontdesk>"
    message["Auto-Submitted"] = "auto-generated"  # no out-of-office replies, RFC 3834
    link = f"{base_url}/{PATHS[row['kind']]}/{row['conversation_id']}"
    message.set_content(f"{words['body'].format(assistant=name, what=what, why=reason)}\n\n{link}\n")
    return message


def _one_line(text: str) -> str:
    """In a header there are no line breaks."""
    return " ".join(str(text).split())[:200]
