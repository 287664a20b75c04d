"""A member's chats are found among those of a whole organization by an index."""

from __future__ import annotations

import asyncpg
import pytest

from tests.contract.test_ticket_lists import plan
from tests.world import OURS, World

# A hundred chats of each of a hundred members, beside twice as many conversations.
MANY = """
    INSERT INTO conversations (organization_id, contact_id, channel, status, ai_auto_assignment_disabled, blocked,
        is_contact_verified, epoch, episode, last_position, unread_count, created_at, updated_at, kind,
        last_interaction_at, title, created_by_user_id)
    SELECT $1, CASE WHEN n % 3 > 0 THEN $2::bigint END, CASE WHEN n % 3 > 0 THEN 'api' ELSE 'ai-chat' END, 'open',
        false, false, false, 1, 1, 0, 0, now(), now(),
        CASE WHEN n % 3 > 0 THEN 'conversation' ELSE 'ai-chat' END, now() - n * interval '1 minute', 'Case ' || n,
        $3 + n % 100
    FROM generate_series(1, 30000) n
"""
USERS = "INSERT INTO users (email, created_at, updated_at) SELECT 'u' || n, now(), now() FROM generate_series(0, 99) n"


@pytest.fixture
async def user(world: World, database_url: str) -> int:
    contact = await world.row("contacts")
    owner = await asyncpg.connect(database_url)
    await owner.execute(USERS)
    first = await owner.fetchval("SELECT id FROM users WHERE email = 'u0'")
    await owner.execute(MANY, OURS, contact, first)
    await owner.execute("VACUUM ANALYZE conversations")
    await owner.close()
    return int(first)


async def test_a_list_reads_the_chats_of_its_member_only(world: World, user: int) -> None:
    for query in ("", "$sort[created_at]=-1", "searchTerm=case"):
        read = await plan(world, "ai-chat-sessions", f"created_by_user_id={user}&{query}")
        assert "ix_conversations_ai_chat_of_user" in read, query
        assert "Seq Scan on conversation" not in read, query
