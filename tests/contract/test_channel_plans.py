"""How PostgreSQL looks up what a provider names, as the application's role: each by its index, under the policies.

Two organizations with 10,000 contacts and 20,000 messages each.
"""

from __future__ import annotations

import asyncpg

from frontdesk.arrivals import INBOUND, OUTBOUND, TAKE_BACK
from frontdesk.runtime.correspondents import BY_MERGED, BY_PHONE, BY_WHATSAPP, THREAD
from frontdesk.runtime.fence import HEARD_AT
from tests.world import NOW, OURS, THEIRS, World

FILL = """
    WITH p AS (
        INSERT INTO contacts (organization_id, phone, phone_country_code, channel_whatsapp_wa_id, system_type,
            created_at, updated_at)
        SELECT $1, '600' || lpad(i::text, 6, '0'), '+34', '34600' || lpad(i::text, 6, '0'), 'contact', now(), now()
        FROM generate_series(1, 10000) i RETURNING id
    ), c AS (
        INSERT INTO conversations (organization_id, contact_id, channel, inbox_channel_id, contact_address, kind,
            status, ai_auto_assignment_disabled, blocked, is_contact_verified, epoch, episode, last_position,
            unread_count, created_at, updated_at)
        SELECT $1, id, 'whatsapp', $2, '34600' || id, 'conversation', 'open', false, false, true, 1, 1, 20, 0, now(),
            now()
        FROM p WHERE id % 10 = 0 RETURNING id
    )
    INSERT INTO conversation_messages (organization_id, conversation_id, position, channel, inbox_channel_id, kind,
        direction, sender, message_type, external_id, reaction_to_message_id, status, created_at, updated_at)
    SELECT $1, id, i, 'whatsapp', $2, 'conversation', CASE WHEN i % 2 = 0 THEN 'inbound' ELSE 'outbound' END, 'contact',
        'text', id || '-' || i, CASE WHEN i % 20 = 0 THEN id END, 'stored', now(), now()
    FROM c, generate_series(1, 20) i
"""
LOOK_UPS = {
    "ix_contacts_phone_digits": (BY_PHONE, ("34600000077",)),
    "ix_contacts_wa_id": (BY_WHATSAPP, ("34600000077",)),
    "ix_contacts_merged_": (BY_MERGED, ("34600000077", True)),
    "uq_conversations_contact_address": (THREAD, (1, "3460077")),
    "uq_conversation_messages_position": (HEARD_AT, (77,)),
    "ix_conversation_messages_sent": (OUTBOUND, ("whatsapp", "77-1", 1)),
    "uq_conversation_messages_external_id": (INBOUND, ("whatsapp", "77-2", 1)),
    "ix_conversation_messages_reactions": (TAKE_BACK, (77, NOW)),
}


async def fill(world: World) -> None:
    async with world.database.system() as connection:
        for organization_id in (OURS, THEIRS):
            inbox = await world.row("inbox-channels", organization_id, channel="whatsapp")
            await connection.execute(FILL, organization_id, inbox)
    owner = await asyncpg.connect(world.database.url)
    await owner.execute("VACUUM ANALYZE contacts, conversations, conversation_messages")
    await owner.close()


async def test_each_look_up_goes_by_its_index(world: World) -> None:
    await fill(world)
    found: dict[str, str] = {}
    async with world.database.transaction(OURS) as connection:
        for index, (sql, arguments) in LOOK_UPS.items():
            rows = await connection.fetch(f"EXPLAIN {sql}", OURS, *arguments)
            found[index] = "\n".join(row[0] for row in rows)
    assert [index for index, plan in found.items() if index not in plan] == [], found
