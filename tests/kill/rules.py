"""What must hold when the load has ended and everything is answered: each rule gives its faults, with the rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from tests.kill.outside import KEYED, NOTE, PLAIN, TOKEN, Outside, plan_of

Rows = Sequence[Mapping[str, object]]
AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
MOST_RUNS = 7  # of one turn: after six resumptions a turn ends with a reason

QUERIES = {
    "inbound": """
        SELECT m.id, m.conversation_id, m.position, m.message_text AS text, m.created_at, d.id AS decision, d.outcome,
            d.reason, d.ai_turn_id, t.attempts
        FROM conversation_messages m LEFT JOIN ai_decisions d ON d.message_id = m.id
        LEFT JOIN ai_turns t ON t.id = d.ai_turn_id
        WHERE m.direction = 'inbound' AND m.message_text LIKE 'Please see to %' ORDER BY m.id
    """,
    "outbound": """
        SELECT id, conversation_id, position, message_text AS text, ai_turn_id, channel, created_at
        FROM conversation_messages
        WHERE direction = 'outbound' AND sender = 'assistant' AND message_text ~ '[a-z]+[0-9]+-[0-9]+' ORDER BY id
    """,
    "positions": """
        SELECT conversation_id, count(*) AS messages, max(position) AS last, count(DISTINCT position) AS places
        FROM conversation_messages GROUP BY conversation_id
        HAVING count(*) <> max(position) OR count(DISTINCT position) <> count(*)
    """,
    "open turns": """
        SELECT id, conversation_id, status, attempts, due_at, lease_expires_at, created_at FROM ai_turns
        WHERE status <> 'ended'
    """,
    "open parts": """
        SELECT id, conversation_id, ai_turn_id, status, attempts, due_at, idempotency_key FROM outbox
        WHERE status IN ('pending', 'sending')
    """,
    "parts": """
        SELECT o.id, o.ai_turn_id, o.status, o.reason, o.idempotency_key, o.payload ->> 'text' AS text, c.channel
        FROM outbox o JOIN conversations c ON c.id = o.conversation_id WHERE c.channel = 'whatsapp' ORDER BY o.id
    """,
    "notes": "SELECT id, text, contact_id, created_at FROM notes WHERE text LIKE 'Note %' ORDER BY id",
    "calls": """
        SELECT s.id, s.ai_turn_id, s.tool_name, s.status, s.arguments ->> 'token' AS token,
            s.arguments ->> 'text' AS text, s.result, s.created_at, t.status AS turn, t.ended_at
        FROM ai_turn_steps s JOIN ai_turns t ON t.id = s.ai_turn_id WHERE s.kind = 'tool' ORDER BY s.id
    """,
    "turns": "SELECT id, conversation_id, attempts, end_reason, error, first_position, last_position FROM ai_turns",
    "events": """
        SELECT row_id, name, count(*) AS told FROM events
        WHERE resource LIKE 'conversation-messages-%' AND name LIKE '%.created' GROUP BY row_id, name
        HAVING count(*) > 1
    """,
    "untold": """
        SELECT m.id, m.conversation_id, m.position FROM conversation_messages m
        WHERE m.channel IN ('webchat', 'whatsapp') AND NOT EXISTS (SELECT FROM events e WHERE e.row_id = m.id
            AND e.resource = 'conversation-messages-' || m.channel AND e.name LIKE '%.created')
    """,
    "bells": "SELECT id, entrypoint, status, created, updated FROM pgqueuer WHERE entrypoint = 'conversation'",
}
RESTS = ("open turns", "open parts", "bells")
PENDING = """
    SELECT count(*) FROM ai_decisions WHERE outcome = 'pending'
"""


@dataclass(frozen=True)
class Book:
    """All rows at one moment, by the name of their query."""

    rows: Mapping[str, Rows]

    @classmethod
    async def read(cls, url: str) -> Book:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return cls({name: [dict(row) for row in await connection.fetch(sql)] for name, sql in QUERIES.items()})
        finally:
            await connection.close()

    def __getitem__(self, name: str) -> Rows:
        return self.rows[name]


async def is_at_rest(url: str) -> bool:
    """Whether nothing is left to do. False while the database is away."""
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except AWAY:
        return False
    try:
        if await connection.fetchval(PENDING):
            return False
        return not any([await connection.fetch(QUERIES[name]) for name in RESTS])
    except AWAY:
        return False
    finally:
        await connection.close()


def tokens_of(row: Mapping[str, object]) -> list[str]:
    return TOKEN.findall(str(row["text"]))


def faults(book: Book, outside: Outside, accepted: set[str]) -> Iterator[str]:
    """What is wrong at rest."""
    for name in RESTS:
        yield from (f"left over in {name}: {dict(row)}" for row in book[name])
    for name in ("positions", "events", "untold"):
        yield from (f"{name}: {dict(row)}" for row in book[name])
    yield from inbound_faults(book, accepted)
    yield from answer_faults(book)
    yield from effect_faults(book, outside)
    yield from provider_faults(book, outside)


def inbound_faults(book: Book, accepted: set[str]) -> Iterator[str]:
    """No message lost, none stored twice; each has one decision, and it is that it was answered."""
    stored: dict[str, list[Mapping[str, object]]] = defaultdict(list)
    for row in book["inbound"]:
        for token in tokens_of(row):
            stored[token].append(row)
    excused = given_up(book)
    for token in accepted - stored.keys():
        yield f"{token} was accepted and is not stored"
    for token, rows in stored.items():
        if len(rows) > 1:
            yield f"{token} is stored {len({row['id'] for row in rows})} times, with these decisions: {rows}"
        for row in rows:
            if (row["outcome"], row["reason"]) != ("answered", "answered") and token not in excused:
                yield f"{token} has no answer: {row}"


def given_up(book: Book) -> set[str]:
    """Messages of conversations in which a turn was killed so often that it ended with a reason, and nobody owns them:
    the next messages there have a reason as well."""
    ended = {
        row["conversation_id"]
        for row in book["inbound"]
        if row["outcome"] == "failed" and int(str(row["attempts"] or 0)) >= MOST_RUNS
    }
    return {token for row in book["inbound"] if row["conversation_id"] in ended for token in tokens_of(row)}


def answer_faults(book: Book) -> Iterator[str]:
    """Every message is named in one answer of one turn, whose parts are there once."""
    turns: dict[str, set[object]] = defaultdict(set)
    texts = Counter((row["ai_turn_id"], row["text"]) for row in book["outbound"])
    for row in book["outbound"]:
        for token in tokens_of(row):
            turns[token].add(row["ai_turn_id"])
    for (turn, text), times in texts.items():
        if times > 1:
            yield f"turn {turn} said {times} times {text!r}"
    for token, answered in turns.items():
        if len(answered) > 1:
            yield f"{token} was answered by the turns {sorted(map(str, answered))}: {about(book, token)}"
    for row in book["inbound"]:
        for token in tokens_of(row):
            if row["outcome"] == "answered" and row["ai_turn_id"] not in turns[token]:
                yield f"{token} counts as answered by turn {row['ai_turn_id']}, which did not: {about(book, token)}"


def effect_faults(book: Book, outside: Outside) -> Iterator[str]:
    """An internal effect once; one of another system at most once, and by its key once where it takes one."""
    notes = Counter(token for row in book["notes"] for token in tokens_of(row))
    done = Counter(token for row in calls(book, NOTE, "done") for token in tokens_of(row))
    if notes != done:
        yield f"notes and the calls that made them differ: {notes - done} {done - notes}"
    for kind, counted in (("note", notes), ("parcel", outside.parcels), ("visit", keys_of(outside))):
        yield from (f"{token} had {n} times a {kind}: {about(book, token)}" for token, n in counted.items() if n > 1)
    for key, tokens in outside.booked.items():
        if len(set(tokens)) > 1:
            yield f"the key {key} came with {tokens}"
    answered = {row["ai_turn_id"]: tokens_of(row)[-1] for row in book["inbound"] if row["outcome"] == "answered"}
    made = {NOTE: notes, KEYED: keys_of(outside), PLAIN: outside.parcels}
    for token in answered.values():
        for name in plan_of(token):
            # A call whose outcome is unknown may not have gone out; of the others the customer was told.
            if name in (NOTE, KEYED) and not made[name][token]:
                yield f"{token} was answered without its {name}: {about(book, token)}"
    for row in calls(book, PLAIN, "done"):
        if not outside.parcels[str(row["token"])]:
            yield f"a call is done that never came: {row}"
    yield from (
        f"a call failed for a customer: {row}" for row in book["calls"] if row["status"] in ("failed", "refused")
    )
    yield from (
        f"a call has no outcome: {row}" for row in book["calls"] if row["status"] == "intent" and row["turn"] == "ended"
    )


def provider_faults(book: Book, outside: Outside) -> Iterator[str]:
    """Distinct keys that the provider has taken are the parts that count as handed over."""
    handed = {str(row["idempotency_key"]): row for row in book["parts"] if row["status"] in ("sent", "unknown")}
    for key in outside.accepted.keys() - handed.keys():
        known = [dict(row) for row in book["parts"] if row["idempotency_key"] == key]
        yield f"the customer has {outside.accepted[key][0]['text']!r}, which does not count as sent: {known}"
    for key in handed.keys() - outside.accepted.keys():
        yield f"counts as sent, and the customer has it not: {dict(handed[key])}"
    for key, parts in outside.accepted.items():
        if len({(part["text"], part["address"]) for part in parts}) > 1:
            yield f"the key {key} came with other words: {parts}"
    said = Counter((parts[0]["address"], parts[0]["text"]) for parts in outside.accepted.values())
    yield from (f"a customer read {times} times {what}" for what, times in said.items() if times > 1)


def keys_of(outside: Outside) -> Counter[str]:
    """How many keys the other system was given for each message."""
    return Counter(tokens[0] for tokens in outside.booked.values())


def calls(book: Book, name: str, status: str) -> Iterator[Mapping[str, object]]:
    return (row for row in book["calls"] if row["tool_name"] == name and row["status"] == status)


def about(book: Book, token: str) -> list[str]:
    """All that is stored of a message and its turns, for whoever reads the fault."""
    inbound = [row for row in book["inbound"] if token in tokens_of(row)]
    spoken = [row for row in book["outbound"] if token in tokens_of(row)]
    turns = {row["ai_turn_id"] for row in (*inbound, *spoken)}
    turns |= {row["ai_turn_id"] for row in book["calls"] if token in str(row["text"]) + str(row["token"])}
    rows = [*inbound, *spoken, *(row for row in book["turns"] if row["id"] in turns)]
    rows += [row for row in book["calls"] if row["ai_turn_id"] in turns]
    return [str(dict(row)) for row in rows]
