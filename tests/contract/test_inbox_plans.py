"""How PostgreSQL reads the inbox, as the application's role: by its indexes, and joined members for one page only.

Two organizations with 2,000 conversations and 20,000 messages each.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from frontdesk.core.caller import Caller, Role
from frontdesk.core.query import QueryReader, parse_url
from frontdesk.core.statements import find_statement
from frontdesk.resources.messaging.conversation_query import COUNTED_BY_TEXT, rewrite
from tests.world import OURS, THEIRS, World

CONVERSATIONS, MESSAGES = 2_000, 10
FILL = """
    WITH p AS (
        INSERT INTO contacts (organization_id, first_name, phone, system_type, created_at, updated_at)
        SELECT $1, 'Person ' || i, '555' || lpad(i::text, 7, '0'), 'contact', now(), now() FROM generate_series(1, $2) i
        RETURNING id
    ), c AS (
        INSERT INTO conversations (organization_id, contact_id, channel, kind, status, ai_auto_assignment_disabled,
            blocked, is_contact_verified, epoch, episode, last_position, unread_count, last_interaction_at,
            waiting_since, created_at, updated_at)
        SELECT $1, id, 'webchat', 'conversation', CASE WHEN id % 20 = 0 THEN 'open' ELSE 'closed' END, false, false,
            true, 1, 1, $3, id % 3, now() - id * interval '1 minute', CASE WHEN id % 40 = 0 THEN now() END, now(), now()
        FROM p RETURNING id
    )
    INSERT INTO conversation_messages (organization_id, conversation_id, position, channel, kind, direction, sender,
        message_type, message_text, status, created_at, updated_at)
    SELECT $1, id, i, 'webchat', 'conversation', 'inbound', 'contact', 'text',
        'good day ' || md5((id * 100 + i)::text), 'stored', now(), now()
    FROM c, generate_series(1, $3) i
"""
Plan = dict[str, Any]


@pytest.fixture
async def full(world: World) -> World:
    async with world.database.system() as connection:
        await connection.execute(FILL, OURS, CONVERSATIONS, MESSAGES)
        await connection.execute(FILL, THEIRS, CONVERSATIONS, MESSAGES)
    # Only their owner may; a count by an index alone needs pages that are known to be seen by all.
    owner = await asyncpg.connect(world.database.url)
    await owner.execute("VACUUM ANALYZE contacts, conversations, conversation_messages")
    await owner.close()
    return world


async def plan_of(world: World, url: str) -> Plan:
    """The plan of a list, run."""
    resource = world.registry["conversations"]
    caller = Caller(OURS, None, Role.member)
    query = QueryReader(resource).read(await rewrite(world.door, caller, parse_url(url), None))
    statement = find_statement(
        resource, query.where, query.sort, query.select, query.search is not None, "", False, query.flags,
        query.counts_to, query.is_among,
    )  # fmt: skip
    values = {"org": OURS, "limit": query.limit, "skip": query.skip}
    values |= {f"p{i}": value for i, value in enumerate(query.values)}  # type: ignore[misc]
    async with world.database.reading(OURS) as connection:
        assert await connection.fetchval("SELECT current_user") == "frontdesk_app"
        explained = await connection.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}", *statement.arguments(values)
        )
    return dict(json.loads(explained)[0]["Plan"])


def nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def whole_scans(plan: Plan) -> set[str]:
    return {node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"}


LISTS = {
    "": "ix_conversations_inbox",
    "$sort[last_interaction_at]=-1&channel[$ne]=playground": "ix_conversations_inbox",
    "assigned_user_id=null&unread_count[$gt]=0": "ix_conversations_inbox",
    "waitingResponseOnly=true&status=open": "ix_conversations",
    "searchTerm=person 123": "ix_conversations_contact_id",
    "messageSearchTerm=c4ca4238": "uq_conversations",
    "messageSearchTerm=good": "ix_conversations_inbox",
}
# Tables of which an organization has a handful of rows.
SMALL = {"users", "members", "teams", "ai_assistants", "tags", "contact_tags"}


async def test_no_list_reads_a_table_from_end_to_end(full: World) -> None:
    for url, index in LISTS.items():
        plan = await plan_of(full, f"{url}&$limit=50&fastJoinForConversationList=true")
        used = {str(node["Index Name"]) for node in nodes(plan) if "Index Name" in node}
        assert any(name.startswith(index) for name in used), (url, used)
        assert whole_scans(plan) <= SMALL, url


async def test_no_more_is_read_than_is_shown(full: World) -> None:
    page = await plan_of(full, "$limit=50&$skip=1000&fastJoinForConversationList=true")
    joined = [node["Actual Loops"] for node in nodes(page) if node.get("Relation Name") in ("contacts", "tags")]
    assert joined
    assert max(joined) <= 50
    common = await plan_of(full, "$limit=50&messageSearchTerm=good")
    read = [node["Actual Loops"] for node in nodes(common) if node.get("Relation Name") == "conversation_messages"]
    assert max(read) <= COUNTED_BY_TEXT + 1


async def test_a_rare_word_is_found_by_its_trigrams_and_a_common_one_not_listed(full: World) -> None:
    async with full.database.reading(OURS) as connection:
        found = [
            await connection.fetchval("SELECT conversations_saying($1)", term) for term in ("zebra", "good", "dba")
        ]
    assert (found[0], found[1]) == ([], None)
    async with full.database.system() as connection:
        body = await connection.fetchval("SELECT prosrc FROM pg_proc WHERE proname = 'conversations_saying'")
        query = body[body.index("SELECT conversation_id") : body.index("LIMIT most")]
        for name, value in (
            ("own", "1"),
            ("longest", "'%zebra%'"),
            ("second", "'%zebra%'"),
            ("(patterns)", "('{%zebra%}')"),
        ):
            query = query.replace(name, value)
        plan = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {query}"))[0]["Plan"]
    assert "ix_conversation_messages_search_text" in {node.get("Index Name") for node in nodes(plan)}
