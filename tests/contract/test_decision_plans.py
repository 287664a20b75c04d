"""How PostgreSQL reads the decisions, as the application's role: each filter by an index, in the order of the list."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest

from frontdesk.core.caller import Caller, Role
from frontdesk.core.query import QueryReader, parse_url
from frontdesk.core.statements import find_statement
from frontdesk.resources.messaging.private_rows import visible
from tests.contract.test_inbox_plans import nodes
from tests.world import OURS, THEIRS, World

MANY = 8_000
FILL = """
    WITH t AS (
        INSERT INTO conversations (organization_id, contact_id, channel, kind, status, subject, priority, tags,
            reference_number, ai_auto_assignment_disabled, blocked, is_contact_verified, epoch, episode, last_position,
            unread_count, created_at, updated_at)
        SELECT $1, $3, 'email', 'ticket', 'open', 'x', 'low', '{}', 900000 + i, false, false, true, 1, 1, 0, 0, now(),
            now()
        FROM generate_series(1, $4::int / 100) i RETURNING id
    ), n AS (SELECT id, row_number() OVER () AS i, count(*) OVER () AS most FROM t)
    INSERT INTO ai_decisions (organization_id, conversation_id, ai_assistant_id, outcome, reason, gate, gates,
        decided_at, created_at, updated_at)
    SELECT $1, n.id, CASE WHEN g % 500 = 0 THEN $2 + 1 ELSE $2 END,
        CASE WHEN g % 400 = 0 THEN 'failed' ELSE 'answered' END,
        CASE WHEN g % 400 = 0 THEN 'model_failed' ELSE 'answered' END, CASE WHEN g % 300 = 0 THEN 'schedule' END, '[]',
        at, at, at
    FROM generate_series(1, $4::int) g JOIN n ON n.i = g % n.most + 1,
        LATERAL (SELECT now() - g * interval '1 minute' AS at) moment
"""
FILTERS = {
    "assistant": "ai_assistant_id={assistant}", "conversation": "conversation_id={talk}",
    "ticket": "support_ticket_id={talk}", "message": "message_id=77", "turn": "ai_turn_id=77",
    "outcome": "outcome=failed", "reason": "reason=model_failed", "gate": "gate=schedule",
    "period": "created_at[$gte]={day}T00:00:00Z&created_at[$lt]={day}T04:00:00Z",
}  # fmt: skip


@pytest.fixture
async def full(world: World) -> dict[str, object]:
    values: dict[str, object] = {}
    async with world.database.system() as connection:
        for organization_id in (THEIRS, OURS):
            assistant = await world.row("ai-assistants", organization_id)
            contact = await world.row("contacts", organization_id)
            await connection.execute(FILL, organization_id, assistant, contact, MANY)
            talk = await connection.fetchval(
                "SELECT max(conversation_id) FROM ai_decisions WHERE organization_id = $1", organization_id
            )
            day = await connection.fetchval("SELECT (now() - interval '3 days')::date")
            values = {"assistant": assistant + 1, "talk": talk, "day": day}
    owner = await asyncpg.connect(world.database.url)
    await owner.execute("VACUUM ANALYZE conversations, ai_decisions")
    await owner.close()
    return values


async def plan_of(world: World, url: str) -> dict[str, Any]:
    """The plan of a list, run as the application's role."""
    resource = world.registry["ai-decisions"]
    query = QueryReader(resource).read(await visible(world.door, Caller(OURS, None, Role.member), parse_url(url), None))
    statement = find_statement(
        resource, query.where, query.sort, query.select, query.search is not None, "", False, query.flags,
        query.counts_to, query.is_among,
    )  # fmt: skip
    values: dict[str, Any] = {"org": OURS, "limit": query.limit, "skip": query.skip}
    values |= {f"p{i}": value for i, value in enumerate(query.values)}
    async with world.database.reading(OURS) as connection:
        rows = await connection.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}", *statement.arguments(values)
        )
    return dict(json.loads(rows)[0]["Plan"])


async def test_each_filter_reads_by_an_index_and_no_more_than_it_finds(world: World, full: dict[str, object]) -> None:
    for name, url in FILTERS.items():
        for sort in ("", "&$sort[id]=-1&$limit=50", "&$sort[created_at]=-1&$skip=20"):
            plan = await plan_of(world, url.format(**full) + sort)
            read = [node for node in nodes(plan) if node.get("Relation Name") == "ai_decisions"]
            assert all("Seq" not in node["Node Type"] for node in read), (name, sort)
            rows = sum(node["Actual Rows"] * node["Actual Loops"] for node in read)
            assert rows < MANY / 5, (name, sort, rows)
    async with world.client() as client:
        for name, url in FILTERS.items():
            answer = await client.get(f"/ai-decisions?{url.format(**full)}&$sort[id]=-1&$limit=3")
            ids = [row["id"] for row in answer.json()["data"]]
            assert ids == sorted(ids, reverse=True)
            assert bool(ids) is (name not in ("message", "turn")), name
