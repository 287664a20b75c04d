"""A full inbox, made by SQL: one organization with many conversations beside 50 small ones.

Words follow Zipf's law, as in any language, so that there are words in every second message, in every hundredth, and in
ten of a million.
"""

from __future__ import annotations

import asyncpg

NEIGHBOURS = 50
VOCABULARY, FRAGMENTS = 2_600, 20_000
COMMON = (
    "the and you for please can appointment hello thanks order have with that this would like when what price delivery "
    "tomorrow today from your about time need refund invoice help account phone email week number address morning "
    "payment cancel change"
)
# The rare words are made of syllables, so that their trigrams are as common as those of real ones.
WORDS = """
CREATE TEMP TABLE bench_words AS
SELECT array_agg(word ORDER BY n) AS list FROM (
    SELECT n, coalesce((string_to_array($1, ' '))[n],
        (ARRAY['ba','co','di','fe','gu','ha','ji','ko','lu','ma','ne','po','qui','ro','su','ta','ve','wa','xe','yo'])
            [1 + n % 20]
        || (ARRAY['ran','mos','tel','vin','dor','cas','lup','ger','nit','sal','pon','rec','bil','mur','zan','fot'])
            [1 + n / 20 % 16]
        || (ARRAY['a','er','ion','es','ado','ing','o','al'])[1 + n / 320 % 8]) AS word
    FROM generate_series(1, $2) n
) words
"""
FRAGMENT = """
CREATE TEMP TABLE bench_fragments AS
SELECT n::int AS id, (
    SELECT string_agg(list[floor(power($2, random()) + g * 0)::int], ' ') FROM generate_series(1, 2 + n % 7) g
) AS words FROM bench_words, generate_series(0, $1 - 1) n
"""
ORGANIZATIONS = """
INSERT INTO organizations (name, timezone, currency, subscription_status, created_at, updated_at)
SELECT 'Neighbour ' || i, 'UTC', 'USD', 'active', now(), now() FROM generate_series(1, $1) i RETURNING id
"""
CONTACTS = """
INSERT INTO contacts (organization_id, first_name, last_name, phone, phone_country_code, avatar_url, system_type,
    created_at, updated_at)
SELECT o, (ARRAY['Ana','Luis','Marta','Jose','Eva','Juan','Laura','Pedro','Sofia','Diego','Lucia','Carlos','Elena',
        'Pablo','Nora','Hugo'])[1 + i % 16],
    initcap(list[41 + (i::bigint * 7919) % 2500]) || ' ' || initcap(list[41 + (i::bigint * 104729) % 2500]),
    '555' || lpad((i::bigint * 7368787 % 10000000)::text, 7, '0'), '+1', 'https://example.com/' || i || '.png',
    'contact', now(), now()
FROM bench_words, unnest($1::int[]) o, generate_series(1, $2) i
"""
TAGS = """
INSERT INTO tags (organization_id, name, color, created_at, updated_at)
SELECT o, 'Tag ' || i, '#6B7280', now(), now() FROM unnest($1::int[]) o, generate_series(1, 10) i
"""
TAGGED = """
INSERT INTO contact_tags (organization_id, contact_id, tag_id, created_at, updated_at)
SELECT c.organization_id, c.id, t.id, now(), now()
FROM contacts c
JOIN (SELECT *, row_number() OVER (PARTITION BY organization_id ORDER BY id) AS place FROM tags) t
    ON t.organization_id = c.organization_id AND c.id % (t.place * 3) = 0
"""
CONVERSATIONS = """
INSERT INTO conversations (organization_id, contact_id, channel, kind, status, assigned_user_id,
    ai_auto_assignment_disabled, blocked, is_contact_verified, epoch, episode, last_position, unread_count,
    waiting_since, last_interaction_at, created_at, updated_at)
SELECT organization_id, id, (ARRAY['webchat','whatsapp','playground','instagram'])[1 + id % 4], 'conversation',
    CASE WHEN id % 5 = 0 THEN 'open' ELSE 'closed' END, CASE WHEN id % 3 = 0 THEN $3::bigint END,
    false, false, true, 1, 1, $2, CASE WHEN id % 7 = 0 THEN 2 ELSE 0 END, CASE WHEN id % 10 = 0 THEN now() END,
    now() - random() * interval '400 days', now() - interval '401 days' - id * interval '1 second', now()
FROM contacts WHERE organization_id = ANY($1::int[])
"""
# In the order of time over all organizations, as they would have come.
MESSAGES = """
INSERT INTO conversation_messages (organization_id, conversation_id, position, channel, kind, direction, sender,
    message_type, message_text, status, created_at, updated_at)
SELECT m.organization_id, m.id, m.p, m.channel, 'conversation',
    CASE WHEN m.p % 2 = 1 THEN 'inbound' ELSE 'outbound' END,
    CASE WHEN m.p % 2 = 1 THEN 'contact' ELSE 'assistant' END, 'text', a.words || ' ' || b.words, 'sent', m.at, m.at
FROM (
    SELECT c.organization_id, c.id, c.channel, p, c.last_interaction_at - ($1 - p) * interval '3 minutes' AS at,
        floor(random() * $2)::int AS x, floor(random() * $2)::int AS y
    FROM conversations c, generate_series(1, $1) p
) m
JOIN bench_fragments a ON a.id = m.x JOIN bench_fragments b ON b.id = m.y ORDER BY m.at
"""
# Built anew at the end: a tenth of the time that a million entries one by one take.
TRIGRAMS = ("ix_conversation_messages_search_text", "ix_contacts_search_text")


async def fill(url: str, organization_id: int, conversations: int, messages: int, statement: str | None = None) -> None:
    """`conversations` with `messages` each for the organization; its 50 neighbours have a 250th each.

    `statement` is run for the organization before the tables are analysed.
    """
    connection = await asyncpg.connect(url)
    try:
        indexes = [await connection.fetchval("SELECT pg_get_indexdef($1::regclass)", name) for name in TRIGRAMS]
        for name in TRIGRAMS:
            await connection.execute(f"DROP INDEX {name}")
        await connection.execute(WORDS, COMMON, VOCABULARY)
        await connection.execute(FRAGMENT, FRAGMENTS, float(VOCABULARY))
        others = [row[0] for row in await connection.fetch(ORGANIZATIONS, NEIGHBOURS)]
        await connection.execute(CONTACTS, [organization_id], conversations)
        await connection.execute(CONTACTS, others, max(1, conversations // 250))
        await connection.execute(TAGS, [organization_id, *others])
        await connection.execute("ANALYZE contacts, tags")  # each row's references are checked by a plan made now
        await connection.execute(TAGGED)
        user_id = await connection.fetchval("SELECT min(id) FROM users")
        await connection.execute(CONVERSATIONS, [organization_id, *others], messages, user_id)
        await connection.execute("ANALYZE conversations")
        await connection.execute(MESSAGES, messages, FRAGMENTS)
        for definition in indexes:
            await connection.execute(definition)
        if statement is not None:
            await connection.execute(statement, organization_id)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
