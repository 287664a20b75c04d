"""The mail of an invitation, sent by the worker after the commit and tried again until the invitation is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.message import EmailMessage
from html import escape
from typing import Final

import asyncpg

from frontdesk.core.door import Door
from frontdesk.core.errors import Unavailable
from frontdesk.core.jobs import enqueue
from frontdesk.core.mail import MailRefused
from frontdesk.core.vault import SecretUnusable

from .invites import DOORBELL, hash_token, link_to

# Longer than a sending may take: until then nobody else sends it.
CLAIM_FOR = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(minutes=30)

CLAIM = """
    UPDATE organizations_users_invites i SET email_due_at = $4, email_attempts = i.email_attempts + 1
    FROM organizations o
    WHERE i.organization_id = $1 AND i.id = $2 AND o.id = i.organization_id AND i.deleted_at IS NULL
        AND i.email_status = 'queued' AND i.status = 'pending' AND i.expires_at > $3 AND i.email_due_at <= $3
    RETURNING i.email, i.role, i.sealed_token, i.token_hash, i.expires_at, i.email_attempts, i.created_by_user_id,
        o.name AS organization
"""
INVITER = "SELECT first_name, last_name, email FROM users WHERE id = $1"
# Of this token only: meanwhile it may have been sent anew.
SENT = """
    UPDATE organizations_users_invites SET email_status = 'sent', sealed_token = NULL, email_error = NULL,
        updated_at = $4, version = version + 1
    WHERE organization_id = $1 AND id = $2 AND token_hash = $3
"""
FAILED = """
    UPDATE organizations_users_invites SET email_status = CASE WHEN $6 THEN 'failed' ELSE 'queued' END,
        sealed_token = CASE WHEN $6 THEN NULL ELSE sealed_token END, email_error = $4, email_due_at = $5
    WHERE organization_id = $1 AND id = $2 AND token_hash = $3
"""


class InviteMails:
    """What the worker does when the bell of an invitation rings."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def send(self, organization_id: int, invite_id: int) -> None:
        """Send the mail if it is due. A mail server that is away is tried again, later each time."""
        if not self.door.mail.is_on:
            return  # another worker may have a server
        now = self.door.clock.now()
        async with self.door.database.transaction(organization_id) as connection:
            row = await connection.fetchrow(CLAIM, organization_id, invite_id, now, now + CLAIM_FOR)
        if row is None:
            return
        try:
            token = self.door.vault.open(row["sealed_token"] or "")
            assert hash_token(token) == row["token_hash"]
            await self.door.mail.send(await self._message(organization_id, invite_id, row, token))
        except (MailRefused, SecretUnusable) as error:
            await self._fail(organization_id, invite_id, row, str(error), None)
        except Unavailable as error:
            pause = min(timedelta(seconds=10 * 2 ** min(row["email_attempts"], 10)), LONGEST_PAUSE)
            await self._fail(organization_id, invite_id, row, error.message, pause)
        else:
            async with self.door.database.transaction(organization_id) as connection:
                await connection.execute(SENT, organization_id, invite_id, row["token_hash"], self.door.clock.now())

    async def _fail(
        self, organization_id: int, invite_id: int, row: asyncpg.Record, said: str, pause: timedelta | None
    ) -> None:
        due = self.door.clock.now() + pause if pause else None
        async with self.door.database.transaction(organization_id) as connection:
            await connection.execute(FAILED, organization_id, invite_id, row["token_hash"], said, due, pause is None)
            if pause:
                await enqueue(connection, DOORBELL, organization_id, invite_id, delay=pause)

    async def _message(self, organization_id: int, invite_id: int, row: asyncpg.Record, token: str) -> EmailMessage:
        async with self.door.database.system() as connection:
            person = await connection.fetchrow(INVITER, row["created_by_user_id"])
        name = " ".join(part for part in (person["first_name"], person["last_name"]) if part) if person else ""
        inviter = name or (person["email"] if person else "")
        return compose(
            row["email"], row["organization"], inviter, row["role"], link_to(self.door, token), row["expires_at"],
            message_id=f"<invite-{organization_id}-{invite_id}-{row['token_hash'][:16]}@frontdesk>",
        )  # fmt: skip


def compose(
    to: str, organization: str, inviter: str, role: str, link: str, expires_at: datetime, *, message_id: str
) -> EmailMessage:
    """Plain text and HTML of the same words. The id stays the same when a mail is sent twice after a crash."""
    place, who = one_line(organization), one_line(inviter)
    message = EmailMessage()
    message["To"] = to
    message["Subject"] = f"{who} invites you to {place}" if who else f"You are invited to {place}"
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"  # no out-of-office replies, RFC 3834
    opening = f"{who or place} invites you to work in {place} on Frontdesk, as {role}."
    ending = f"The link is good until {expires_at:%Y-%m-%d %H:%M} UTC. If you did not expect it, ignore it."
    message.set_content(f"{opening}\n\nAccept the invitation:\n{link}\n\n{ending}\n")
    words = {"opening": escape(opening), "ending": escape(ending), "link": escape(link, quote=True)}
    message.add_alternative(PAGE.format(**words), subtype="html")
    return message


def one_line(name: str) -> str:
    """A name in a header: no line breaks, not endless."""
    return " ".join(name.split())[:120]


PAGE: Final = """\
<!doctype html>
<html lang="en"><body style="margin:0;padding:32px 16px;background:#f5f5f4;color:#1c1917;\
font:16px/1.5 -apple-system,'Segoe UI',Roboto,sans-serif">
<div style="max-width:480px;margin:0 auto;padding:32px;background:#ffffff;border-radius:12px">
<p style="margin:0 0 24px">{opening}</p>
<p style="margin:0 0 24px"><a href="{link}" style="display:inline-block;padding:12px 20px;border-radius:8px;\
background:#0f766e;color:#ffffff;text-decoration:none;font-weight:600">Accept the invitation</a></p>
<p style="margin:0 0 24px;font-size:14px;color:#57534e;word-break:break-all">{link}</p>
<p style="margin:0;font-size:14px;color:#57534e">{ending}</p>
</div></body></html>
"""
