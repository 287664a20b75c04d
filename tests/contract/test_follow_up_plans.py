"""Ten thousand follow-ups that fall due in one minute: claimed in batches from an index, read by conversation."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from frontdesk.assistants.follow_up_endings import BY_CONTACT, BY_CONVERSATION, BY_REPLY
from frontdesk.core.clock import FakeClock
from frontdesk.runtime.follow_ups import DUE, FOLLOW_UP_DOORBELL
from frontdesk.runtime.sweeper import FOLLOW_UP_DUE, MOST_WAITING, sweep
from tests.world import NOW, OURS, THEIRS, World

MANY = 10_000
FILL = """
    WITH p AS (
        INSERT INTO contacts (organization_id, system_type, created_at, updated_at)
        SELECT $1, 'contact', now(), now() FROM generate_series(1, $3) i RETURNING id
    ), c AS (
        INSERT INTO conversations (organization_id, contact_id, channel, kind, status, assigned_ai_assistant_id,
            ai_auto_assignment_disabled, blocked, is_contact_verified, epoch, episode, last_position, unread_count,
            created_at, updated_at)
        SELECT $1, id, 'webchat', 'conversation', 'open', $2, false, false, true, 1, 1, 0, 0, now(), now() FROM p
        RETURNING id
    )
    INSERT INTO ai_follow_ups (organization_id, conversation_id, ai_assistant_id, rule_id, config_version, mode, status,
        due_at, rings_at, answered_at, answer_turn_id, epoch, episode, stops_on_reply, created_at, updated_at)
    SELECT $1, id, $2, 'f1', 1, 'fixed', CASE WHEN n = 1 THEN 'scheduled' ELSE 'sent' END, $4, $4, $4, id * 10 + n, 1,
        1, true, $4, $4
    FROM c, generate_series(1, 3) n
"""
LOOK_UPS = {
    "ring": (FOLLOW_UP_DUE, "ix_ai_follow_ups_ring", (NOW, NOW, 500, MOST_WAITING, FOLLOW_UP_DOORBELL)),
    "due": (DUE, "ix_ai_follow_ups_", (OURS, 77, NOW)),
    "reply": (BY_REPLY, "ix_ai_follow_ups_", (OURS, [77])),
    "close": (BY_CONVERSATION, "ix_ai_follow_ups_", (OURS, [77, 78])),
    "opt-out": (BY_CONTACT, "ix_conversations_contact_id", (OURS, [77])),
}
ENDING = ("cancelled", "closed", "a.", "b.", "c.", "d.", None, None, NOW)


async def fill(world: World) -> None:
    async with world.database.system() as connection:
        for organization_id in (OURS, THEIRS):
            assistant = await world.row("ai-assistants", organization_id)
            await connection.execute(FILL, organization_id, assistant, MANY // 2, NOW)
    owner = await asyncpg.connect(world.database.url)
    await owner.execute("VACUUM ANALYZE contacts, conversations, ai_follow_ups, ai_decisions")
    await owner.close()


async def test_ten_thousand_in_one_minute_are_claimed_in_batches_each_once(world: World) -> None:
    await fill(world)
    plans: dict[str, str] = {}
    async with world.database.system() as connection:
        rows = await connection.fetch(f"EXPLAIN {FOLLOW_UP_DUE}", *LOOK_UPS["ring"][2])
        plans["ring"] = "\n".join(row[0] for row in rows)
    async with world.database.transaction(OURS) as connection:
        for name, (sql, _, arguments) in list(LOOK_UPS.items())[1:]:
            further = ENDING if name != "due" else ()
            plans[name] = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {sql}", *arguments, *further))
    assert [name for name, (_, index, _) in LOOK_UPS.items() if index not in plans[name]] == [], plans
    assert "Seq Scan on ai_follow_ups" not in "".join(plans.values())

    clock, rung = FakeClock(NOW + timedelta(seconds=5)), []
    bells: list[bytes] = []
    async with world.database.system() as connection:
        await connection.execute("DELETE FROM pgqueuer")
        while count := await sweep(connection, clock):
            rung.append(count)
            # More are rung only as those before are answered.
            bells += [row[0] for row in await connection.fetch("DELETE FROM pgqueuer RETURNING payload")]
    assert (rung, len(bells)) == ([MOST_WAITING] * (MANY // MOST_WAITING), MANY)
    assert len(set(bells)) == MANY
