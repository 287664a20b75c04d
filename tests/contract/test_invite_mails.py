"""The mail of an invitation: a real SMTP server receives it, once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from frontdesk.core.caller import Caller, Role
from frontdesk.core.door import Door
from frontdesk.core.errors import Json
from frontdesk.core.mail import Mail
from frontdesk.core.vault import Vault
from frontdesk.resources.organization.invite_mails import InviteMails, compose
from frontdesk.runtime.sweeper import sweep
from tests.world import OURS, World

PATH = "organizations-users-invites"


class Sink:
    """A mail server that keeps what it gets, or answers as it is told."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.recipient, self.data = "250 OK", "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.data.startswith("250"):
            content = cast(bytes, envelope.content)
            self.got.append(cast(EmailMessage, message_from_bytes(content, policy=policy.default)))
        return self.data


class Post:
    """An installation with a mail server."""

    def __init__(self, world: World, sink: Sink, port: int) -> None:
        self.world, self.sink = world, sink
        mail = Mail("https://desk.example", f"smtp://127.0.0.1:{port}", "Frontdesk <desk@example.com>")
        self.door = Door(world.database, world.registry, vault=Vault("k" * 32), mail=mail)
        self.mails = InviteMails(self.door)

    async def invite(self, email: str = "marta@example.com") -> dict[str, Json]:
        caller = Caller(OURS, self.world.users[(Role.admin, OURS)], Role.admin)
        answer = await self.door.call(caller, PATH, "create", data={"email": email, "role": "member"})
        return answer.value

    async def send(self, invite: dict[str, Json]) -> None:
        await self.mails.send(OURS, cast(int, invite["id"]))

    async def stored(self, invite: dict[str, Json]) -> dict[str, object]:
        async with self.world.database.system() as connection:
            row = await connection.fetchrow("SELECT * FROM organizations_users_invites WHERE id = $1", invite["id"])
        return dict(row or {})

    async def change(self, columns: str) -> None:
        async with self.world.database.system() as connection:
            await connection.execute(f"UPDATE organizations_users_invites SET {columns}")

    async def bells(self) -> int:
        async with self.world.database.system() as connection:
            sql = "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'invite-mail'"
            return int(await connection.fetchval(sql))


@pytest.fixture
async def post(world: World) -> AsyncIterator[Post]:
    sink, loop = Sink(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, hostname="sink.example"), "127.0.0.1", 0)
    async with server:
        yield Post(world, sink, server.sockets[0].getsockname()[1])


async def test_the_mail_holds_the_link(post: Post) -> None:
    invite = await post.invite()
    assert (invite["email_status"], "warning" in invite, await post.bells()) == ("queued", False, 1)
    await post.send(invite)
    (mail,) = post.sink.got
    body = cast(EmailMessage, mail.get_body(("plain",))).get_content()
    link = f"https://desk.example/invites#{invite['token']}"
    assert (mail["To"], mail["From"]) == ("marta@example.com", "Frontdesk <desk@example.com>")
    assert mail["Subject"] == "admin1@example.com invites you to Ours"
    assert link in body
    assert f'href="{link}"' in cast(EmailMessage, mail.get_body(("html",))).get_content()


async def test_what_was_sent_is_not_sent_again_and_its_token_is_forgotten(post: Post) -> None:
    invite = await post.invite()
    await asyncio.gather(*(post.send(invite) for _ in range(4)))
    await post.send(invite)
    stored = await post.stored(invite)
    assert len(post.sink.got) == 1
    assert (stored["email_status"], stored["sealed_token"]) == ("sent", None)


async def test_a_server_that_asks_for_patience_gets_it(post: Post) -> None:
    invite = await post.invite()
    post.sink.data = "451 try again later"
    await post.send(invite)
    stored = await post.stored(invite)
    assert (stored["email_status"], "mail server" in str(stored["email_error"])) == ("queued", True)
    assert cast(datetime, stored["email_due_at"]) > datetime.now(UTC)
    assert await post.bells() == 2
    post.sink.data = "250 OK"
    await post.change("email_due_at = now() - interval '1 second'")
    await post.send(invite)
    assert (len(post.sink.got), (await post.stored(invite))["email_error"]) == (1, None)


async def test_an_address_that_does_not_exist_is_tried_once(post: Post) -> None:
    invite = await post.invite()
    post.sink.recipient = "550 no such user"
    await post.send(invite)
    stored = await post.stored(invite)
    assert (stored["email_status"], stored["sealed_token"]) == ("failed", None)
    assert "550" in str(stored["email_error"])


async def test_a_server_that_is_away_is_tried_again(post: Post) -> None:
    invite = await post.invite()
    away = Mail("https://desk.example", "smtp://127.0.0.1:1", "desk@example.com")
    await InviteMails(Door(post.world.database, post.world.registry, vault=Vault("k" * 32), mail=away)).send(
        OURS, cast(int, invite["id"])
    )
    assert (await post.stored(invite))["email_status"] == "queued"


OVER = ["status = 'revoked'", "status = 'accepted'", "expires_at = now() - interval '1 second'"]


@pytest.mark.parametrize("over", OVER)
async def test_what_is_over_is_not_sent(post: Post, over: str) -> None:
    invite = await post.invite()
    await post.change(over)
    await post.send(invite)
    assert post.sink.got == []


async def test_a_token_sealed_with_a_lost_key_is_said(post: Post) -> None:
    invite = await post.invite()
    lost = Door(post.world.database, post.world.registry, vault=Vault("x" * 32), mail=post.door.mail)
    await InviteMails(lost).send(OURS, cast(int, invite["id"]))
    assert (await post.stored(invite))["email_status"] == "failed"


async def test_a_lost_bell_is_rung_by_the_sweeper(post: Post) -> None:
    await post.invite()
    await post.change("email_due_at = now() - interval '1 minute'")
    async with post.world.database.system() as connection:
        await connection.execute("DELETE FROM pgqueuer")
        assert await sweep(connection, post.door.clock) == 1
        assert await sweep(connection, post.door.clock) == 1
    assert await post.bells() == 1


async def test_another_organizations_invitation_is_not_sent(post: Post) -> None:
    invite = await post.invite()
    await post.mails.send(2, cast(int, invite["id"]))
    assert post.sink.got == []


def test_names_cannot_break_a_header_or_the_page() -> None:
    place = "Luna\r\nBcc: eve@example.com <script>"
    mail = compose(
        "a@example.com", place, "Ana", "member", "https://x/#t", datetime(2026, 1, 5, tzinfo=UTC), message_id="<1@x>"
    )
    assert mail["Bcc"] is None
    assert "<script>" not in cast(EmailMessage, mail.get_body(("html",))).get_content()
    assert re.fullmatch("Ana invites you to Luna Bcc: eve@example.com <script>", mail["Subject"])


def test_nothing_is_sent_without_a_server() -> None:
    assert not Mail("https://desk.example").is_on
    assert not replace(Mail("x", "smtp://h", "a@b"), smtp_url=None).is_on
