"""Lists of tickets and of conversations lie in one table and read indexes of their own."""

from __future__ import annotations

import asyncpg
import pytest

from frontdesk.core.query import QueryReader, parse_url
from frontdesk.core.statements import find_statement
from tests.world import OURS, World

# One in ten is a ticket; one in fifty of these is open, half are the user's, half the assistant's.
MANY = """
    INSERT INTO conversations (organization_id, contact_id, channel, status, ai_auto_assignment_disabled, blocked,
        is_contact_verified, epoch, episode, last_position, unread_count, created_at, updated_at, kind,
        last_interaction_at, last_message_at, reference_number, subject, priority, tags, assigned_user_id,
        assigned_ai_assistant_id)
    SELECT $1, $2, 'api', CASE WHEN n % 500 = 0 THEN 'open' ELSE 'closed' END, false, false, false, 1, 1, 0, 0,
        now() - n * interval '1 minute', now(), CASE WHEN n % 10 = 0 THEN 'ticket' ELSE 'conversation' END,
        now() - n * interval '1 minute', now() - n * interval '1 minute', 'TK-' || n, 'Case ' || n, 'normal', '{}',
        CASE WHEN n % 20 = 0 THEN $3::bigint END, CASE WHEN n % 20 = 10 THEN $4::bigint END
    FROM generate_series(1, 50000) n
"""


async def crowd(world: World, url: str) -> tuple[int, int]:
    """50,000 rows of one organization; gives a user's and an assistant's id."""
    user, helper = 1, await world.row("ai-assistants", assistant_type="support-ticket")
    contact = await world.row("contacts")
    owner = await asyncpg.connect(url)
    await owner.execute(MANY, OURS, contact, user, helper)
    await owner.execute("VACUUM ANALYZE conversations")  # an index counts alone only where it knows what is visible
    await owner.close()
    return user, helper


async def plan(world: World, path: str, query: str) -> str:
    """How PostgreSQL reads the page, as the application's role under its policies."""
    resource = world.registry[path]
    read = QueryReader(resource).read(parse_url(query))
    found = find_statement(resource, read.where, read.sort, ("id", "created_at"), False, "", False)
    values = {"org": OURS, "limit": 50, "skip": 0, **{f"p{i}": value for i, value in enumerate(read.values)}}
    async with world.database.reading(OURS) as connection:
        rows = await connection.fetch(f"EXPLAIN {found.sql}", *found.arguments(values))
    return "\n".join(row[0] for row in rows)


LISTS = [
    ("support-tickets", "", "ticket_created_at"),
    ("support-tickets", "$sort[created_at]=1", "ticket_created_at"),
    ("support-tickets", "$sort[last_message_at]=-1", "ticket_last_message_at"),
    ("support-tickets", "status=open", "ticket_status_created_at"),
    ("support-tickets", "assigned_user_id={user}", "ticket_assigned_user_id_created_at"),
    ("support-tickets", "assigned_ai_assistant_id={helper}", "ticket_assigned_ai_assistant_id_created_at"),
    ("support-tickets", "created_at[$gte]=2999-01-01", "ticket_created_at"),
    ("support-tickets", "thread_id=none", "thread_id"),
    ("support-tickets", "reference_number=TK-10", "reference_number"),
    ("conversations", "", "inbox"),
]


@pytest.fixture
async def crowded(world: World, database_url: str) -> tuple[World, dict[str, int]]:
    user, helper = await crowd(world, database_url)
    return world, {"user": user, "helper": helper}


async def test_each_list_reads_an_index_of_its_own(crowded: tuple[World, dict[str, int]]) -> None:
    world, ids = crowded
    for path, query, index in LISTS:
        read = await plan(world, path, query.format(**ids))
        other = "ix_conversations_ticket" if path == "conversations" else "ix_conversations_inbox"
        assert f"_conversations_{index} " in read, (path, query, read)
        assert other not in read, (path, query, read)
        # The total of nine tenths of a small table is cheapest by reading the table.
        assert path == "conversations" or "Seq Scan on conversations" not in read, (path, query, read)


async def test_a_search_for_a_subject_reads_its_index(crowded: tuple[World, dict[str, int]]) -> None:
    world, _ = crowded
    async with world.database.system() as connection:  # the role that the function runs as
        await connection.execute(f"SET app.org = '{OURS}'")
        body = await connection.fetchval("SELECT prosrc FROM pg_proc WHERE proname = 'tickets_about'")
        rows = await connection.fetch("EXPLAIN " + body.replace("term", "'case 4990'"))
    assert "ix_conversations_ticket_subject" in "\n".join(row[0] for row in rows)
