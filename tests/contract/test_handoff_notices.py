"""The mail to the person who gets a conversation: a real SMTP server receives it, once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiosmtpd.smtp import SMTP

from frontdesk.core.caller import Role
from frontdesk.core.clock import FakeClock
from frontdesk.core.door import Door
from frontdesk.core.mail import Mail
from frontdesk.core.vault import Vault
from frontdesk.runtime.handoff_notices import HandoffNotices
from frontdesk.runtime.sweeper import sweep
from tests.contract.test_invite_mails import Sink
from tests.world import NOW, OURS, World

ASSISTANT = """
    INSERT INTO ai_assistants (organization_id, name, assistant_type, ai_model_id, instructions_language, created_at,
        updated_at) SELECT $1, 'Eva', 'conversation', min(id), $2, now(), now() FROM ai_models RETURNING id
"""
HANDOFF = """
    INSERT INTO ai_handoffs (organization_id, conversation_id, from_ai_assistant_id, kind, to_user_id, rule, detail,
        position, notice_status, notice_due_at, notice_attempts, created_at, updated_at)
    VALUES ($1, $2, $3, 'human', $4, 'keywords', 'lawyer', 1, 'queued', $5, 0, $5, $5) RETURNING id
"""


class Post:
    """An installation with a mail server, and one hand-off that waits for its mail."""

    def __init__(self, world: World, sink: Sink, port: int) -> None:
        self.world, self.sink, self.clock = world, sink, FakeClock(NOW)
        mail = Mail("https://desk.example", f"smtp://127.0.0.1:{port}", "Frontdesk <desk@example.com>")
        door = Door(world.database, world.registry, self.clock, Vault("k" * 32), mail=mail)
        self.notices = HandoffNotices(door)

    async def hand_over(self, language: str = "ENG") -> int:
        user_id = self.world.users[Role.member, OURS]
        conversation = await self.world.row("conversations", assigned_user_id=user_id)
        async with self.world.database.system() as connection:
            assistant = await connection.fetchval(ASSISTANT, OURS, language)
            id: int = await connection.fetchval(HANDOFF, OURS, conversation, assistant, user_id, NOW)
        return id

    async def state(self, id: int) -> tuple[str, str | None]:
        async with self.world.database.system() as connection:
            row = await connection.fetchrow("SELECT notice_status, notice_error FROM ai_handoffs WHERE id = $1", id)
        assert row is not None
        return row["notice_status"], row["notice_error"]


@pytest.fixture
async def post(world: World) -> AsyncIterator[Post]:
    sink, loop = Sink(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, hostname="sink.example"), "127.0.0.1", 0)
    async with server:
        yield Post(world, sink, server.sockets[0].getsockname()[1])


async def test_the_person_learns_who_what_and_where(post: Post) -> None:
    id = await post.hand_over()
    for _ in range(2):
        await post.notices.send(OURS, id)
    (mail,) = post.sink.got
    assert mail["To"] == "member1@example.com"
    assert mail["Subject"] == "Eva has handed a conversation to you"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content()
    assert "the customer wrote a keyword (lawyer)." in text
    assert "https://desk.example/conversations/" in text
    assert await post.state(id) == ("sent", None)


async def test_in_the_language_of_the_assistant(post: Post) -> None:
    await post.notices.send(OURS, await post.hand_over("ESP"))
    assert post.sink.got[0]["Subject"] == "Eva te ha entregado una conversación"


async def test_a_server_that_is_away_is_tried_again(post: Post) -> None:
    id = await post.hand_over()
    post.sink.recipient = "451 Later"
    await post.notices.send(OURS, id)
    assert (await post.state(id))[0] == "queued"
    post.sink.recipient = "250 OK"
    await post.notices.send(OURS, id)
    assert post.sink.got == []
    await post.clock.advance(60)
    async with post.world.database.system() as connection:
        assert await sweep(connection, post.clock, timedelta(0)) == 1
    await post.notices.send(OURS, id)
    assert len(post.sink.got) == 1


async def test_a_refused_address_is_told(post: Post) -> None:
    id = await post.hand_over()
    post.sink.recipient = "550 Unknown"
    await post.notices.send(OURS, id)
    assert await post.state(id) == ("failed", "The mail server refused the address (550).")


async def test_what_somebody_else_has_by_now_sends_no_mail(post: Post) -> None:
    id = await post.hand_over()
    async with post.world.database.system() as connection:
        await connection.execute("UPDATE conversations SET assigned_user_id = NULL")
    await post.notices.send(OURS, id)
    assert post.sink.got == []
    assert (await post.state(id))[0] == "off"
