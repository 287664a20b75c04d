"""What must hold after every step of a walk, and what must hold when nothing is left to do. Each gives its faults."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator

from tests.flow.walker import Walk

DECISIONS = """
    SELECT m.id, m.position, d.outcome, d.reason, d.sentence, d.sentence_es, d.ai_turn_id, t.status AS turn
    FROM conversation_messages m
    LEFT JOIN ai_decisions d ON d.message_id = m.id
    LEFT JOIN ai_turns t ON t.id = d.ai_turn_id
    WHERE m.direction = 'inbound' ORDER BY m.position
"""
OWNERS = """
    SELECT id FROM conversations WHERE assigned_user_id IS NOT NULL AND assigned_ai_assistant_id IS NOT NULL
"""
STEPS = """
    SELECT s.ai_turn_id, s.call_id, s.status, s.arguments ->> 'text' AS text FROM ai_turn_steps s
    WHERE s.kind = 'tool' AND s.tool_name = 'add_note'
"""
PARTS = "SELECT idempotency_key, ai_turn_id, status, reason, payload ->> 'text' AS text FROM outbox ORDER BY id"
FOLLOW_UPS = """
    SELECT f.id, f.status, f.reason, f.episode, count(*) FILTER (WHERE f.status = 'sent')
        OVER (PARTITION BY f.conversation_id, f.episode) AS sent FROM ai_follow_ups f
"""
APPROVALS = """
    SELECT p.id, p.status, p.reason, (SELECT count(*) FROM ai_turn_steps s WHERE s.ai_turn_id = p.ai_turn_id
        AND s.call_id = p.call_id AND s.status = 'done') AS done FROM ai_approvals p
"""
NUMBER = re.compile(r"(?:Answer|And more) (\d+)")
SENT = ("sent", "unknown")


async def faults(walk: Walk) -> list[str]:
    """What is wrong at any moment."""
    return [*walk.wrong, *[fault async for fault in _always(walk)]]


async def last_faults(walk: Walk) -> list[str]:
    """What is wrong when nothing is left to do."""
    found = await faults(walk)
    for rules in (_at_rest, _of_timers):
        found += [fault async for fault in rules(walk)]
    return found


async def _always(walk: Walk) -> AsyncIterator[str]:
    desk = walk.desk
    rows = await desk.fetch(DECISIONS)
    for row, count in Counter(row["id"] for row in rows).items():
        if count > 1:
            yield f"message {row} has {count} decisions"
    for row in rows:
        if row["outcome"] is None:
            yield f"message {row['id']} has no decision"
        elif row["outcome"] != "pending" and not has_words(row["reason"], row["sentence"], row["sentence_es"]):
            yield f"message {row['id']} was {row['outcome']} for {row['reason']!r} without a sentence"
    if await desk.fetch(OWNERS):
        yield "a conversation has two owners"
    notes = Counter(row["text"] for row in await desk.fetch("SELECT text FROM notes"))
    for text, count in notes.items():
        if count > 1:
            yield f"{text!r} was written {count} times"
    done = {row["text"] for row in await desk.fetch(STEPS) if row["status"] == "done"}
    if done != set(notes):
        yield f"calls {done} and their effects {set(notes)} are not the same"
    for text, count in Counter(walk.provider.accepted).items():
        if count > 1 and walk.takes_keys and NUMBER.search(text):
            yield f"{text!r} was read {count} times"


def has_words(reason: str, *sentences: str | None) -> bool:
    return all(sentence and sentence != reason for sentence in sentences)


async def _at_rest(walk: Walk) -> AsyncIterator[str]:
    desk = walk.desk
    decisions, parts = await desk.fetch(DECISIONS), await desk.fetch(PARTS)
    by_turn: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for row in decisions:
        if row["outcome"] == "pending":
            yield f"message {row['id']} is still pending ({row['reason']}, turn {row['turn']})"
        if row["ai_turn_id"] is not None:
            by_turn[row["ai_turn_id"]].add((row["outcome"], row["reason"]))
    for row in await desk.fetch("SELECT id, status FROM ai_turns WHERE status <> 'ended'"):
        yield f"turn {row['id']} is still {row['status']}"
    sent: dict[int, list[str]] = defaultdict(list)
    for part in parts:
        if part["status"] in ("pending", "sending"):
            yield f"{part['text']!r} is still {part['status']}"
        if part["ai_turn_id"] is not None and part["status"] in SENT:
            sent[part["ai_turn_id"]].append(part["text"])
    for turn, ends in by_turn.items():
        if len(ends) > 1:
            yield f"the burst of turn {turn} has several ends: {ends}"
        if ("answered" in {outcome for outcome, _ in ends}) != (turn in sent):
            yield f"turn {turn} ended in {ends} and sent {sent.get(turn)}"
    for turn, texts in sent.items():
        if len(numbers := {NUMBER.findall(text)[0] for text in texts if NUMBER.search(text)}) > 1:
            yield f"turn {turn} sent two answers: {numbers}"
    accepted, stored = set(walk.provider.keys), {part["idempotency_key"] for part in parts if part["status"] in SENT}
    if accepted - stored:
        known = {part["idempotency_key"]: f"{part['status']}: {part['reason']}" for part in parts}
        yield f"the customer has what the store does not count as sent: {[known[key] for key in accepted - stored]}"
    if lost := {p["idempotency_key"] for p in parts if p["status"] == "sent" and p["text"] != "Good day."} - accepted:
        yield f"the store counts as sent what the customer has not: {lost}"


async def _of_timers(walk: Walk) -> AsyncIterator[str]:
    desk = walk.desk
    for row in await desk.fetch(FOLLOW_UPS):
        if row["status"] in ("scheduled", "sending"):
            yield f"follow-up {row['id']} is still {row['status']}"
        if row["status"] == "cancelled" and not row["reason"]:
            yield f"follow-up {row['id']} was cancelled without a reason"
        if row["sent"] > 2:
            yield f"episode {row['episode']} had {row['sent']} follow-ups"
    for row in await desk.fetch(APPROVALS):
        if row["status"] in ("pending", "approved"):
            yield f"approval {row['id']} is still {row['status']}"
        if row["done"] != (row["status"] == "used"):
            yield f"the call of approval {row['id']} ({row['status']}: {row['reason']}) was made {row['done']} times"
