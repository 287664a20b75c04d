"""What must hold after every step of a walk, and what must hold when nothing is left to do. Each gives its faults."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator

from tests.flow.walk_effects import effects_always, effects_at_rest
from tests.flow.walk_moves import MAX_HOPS, is_open
from tests.flow.walk_timers import timers_always, timers_at_rest
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
OPEN_TURNS = "SELECT conversation_id FROM ai_turns WHERE status <> 'ended' GROUP BY 1 HAVING count(*) > 1"
DRAFTS = "SELECT id FROM ai_turns WHERE status = 'ended' AND draft IS NOT NULL"
# Nothing of it stands: its place was taken before its effects began.
SUPERSEDED = """
    SELECT t.id FROM ai_turns t WHERE (t.effects_started AND t.superseded_by_message_id IS NOT NULL)
        OR (t.end_reason = 'superseded' AND (
            EXISTS (SELECT FROM outbox o WHERE o.ai_turn_id = t.id AND o.status IN ('sending', 'sent', 'unknown'))
            OR EXISTS (SELECT FROM ai_turn_steps s WHERE s.ai_turn_id = t.id AND s.is_change
                AND s.status IN ('intent', 'done', 'unknown'))))
"""
# What may have reached the customer stands in the thread, and says so.
UNSEEN = """
    SELECT o.payload ->> 'text' AS text, o.status, m.status AS message FROM outbox o
    LEFT JOIN conversation_messages m ON m.id = o.message_id
    WHERE o.status IN ('sent', 'unknown') AND (m.id IS NULL OR m.status <> o.status)
"""
PARTS = "SELECT idempotency_key, ai_turn_id, status, reason, payload ->> 'text' AS text FROM outbox ORDER BY id"
# The assistants that passed on, by the last words of the customer before it.
HOPS = """
    SELECT h.from_ai_assistant_id, h.conversation_id, (SELECT max(m.position)
        FROM conversation_messages m WHERE m.conversation_id = h.conversation_id AND m.direction = 'inbound'
            AND m.position <= h.position) AS position
    FROM ai_handoffs h WHERE h.kind = 'assistant' ORDER BY h.id
"""
TURNS = """
    SELECT id, config_version, started_at FROM ai_turns
    WHERE started_at IS NOT NULL AND ai_follow_up_id IS NULL AND ai_assistant_id = $1
"""
NUMBER = re.compile(r"(?:Answer|And more) (\d+)")
SENT = ("sent", "unknown")


async def faults(walk: Walk) -> list[str]:
    """What is wrong at any moment."""
    found = list(walk.wrong)
    for rules in (_decided, _spoken, _owned, effects_always, timers_always):
        found += [fault async for fault in rules(walk)]
    return found


async def last_faults(walk: Walk) -> list[str]:
    """What is wrong when nothing is left to do."""
    found = await faults(walk)
    for rules in (_at_rest, _delivered, effects_at_rest, timers_at_rest):
        found += [fault async for fault in rules(walk)]
    return found


async def _decided(walk: Walk) -> AsyncIterator[str]:
    rows = await walk.desk.fetch(DECISIONS)
    for row, count in Counter(row["id"] for row in rows).items():
        if count > 1:
            yield f"message {row} has {count} decisions"
    for row in rows:
        if row["outcome"] is None:
            yield f"message {row['id']} has no decision"
        elif row["outcome"] != "pending" and not has_words(row["reason"], row["sentence"], row["sentence_es"]):
            yield f"message {row['id']} was {row['outcome']} for {row['reason']!r} without a sentence"


def has_words(reason: str, *sentences: str | None) -> bool:
    return all(sentence and sentence != reason for sentence in sentences)


async def _spoken(walk: Walk) -> AsyncIterator[str]:
    desk = walk.desk
    for text, count in Counter(walk.provider.accepted).items():
        if count > 1 and walk.provider.takes_keys and NUMBER.search(text):
            yield f"{text!r} was read {count} times"
    for row in await desk.fetch(DRAFTS):
        yield f"the draft of the ended turn {row['id']} is still shown"
    for row in await desk.fetch(SUPERSEDED):
        yield f"turn {row['id']} was superseded after its effects had started"
    for row in await desk.fetch(UNSEEN):
        yield f"{row['text']!r} is {row['status']} in the outbox and {row['message']} in the thread"


async def _owned(walk: Walk) -> AsyncIterator[str]:
    desk = walk.desk
    if await desk.fetch(OWNERS):
        yield "a conversation has two owners"
    if await desk.fetch(OPEN_TURNS):
        yield "two turns are open in one conversation"
    chains: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row in await desk.fetch(HOPS):
        chains[row["conversation_id"], row["position"]].append(row["from_ai_assistant_id"])
    for chain in chains.values():
        if len(set(chain)) < len(chain) or len(chain) > MAX_HOPS:
            yield f"one message was passed on by {chain}"
    # A member's chat has no hours.
    for row in [] if walk.beginning.place == "team" else await desk.fetch(TURNS, desk.assistant_id):
        schedule = walk.schedules[max(v for v in walk.schedules if v <= row["config_version"])]
        if not is_open(schedule, row["started_at"]):
            yield f"turn {row['id']} was begun at {row['started_at']} in the schedule {schedule!r}"


async def _at_rest(walk: Walk) -> AsyncIterator[str]:
    desk = walk.desk
    by_turn: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for row in await desk.fetch(DECISIONS):
        if row["outcome"] == "pending":
            yield f"message {row['id']} is still pending ({row['reason']}, turn {row['turn']})"
        if row["ai_turn_id"] is not None:
            by_turn[row["ai_turn_id"]].add((row["outcome"], row["reason"]))
    for row in await desk.fetch("SELECT id, status FROM ai_turns WHERE status <> 'ended'"):
        yield f"turn {row['id']} is still {row['status']}"
    sent: dict[int, list[str]] = defaultdict(list)
    for part in await desk.fetch(PARTS):
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


async def _delivered(walk: Walk) -> AsyncIterator[str]:
    """The parts that the store counts as sent, and what the provider has."""
    if walk.place.is_local:
        return
    parts = await walk.desk.fetch(PARTS)
    accepted, stored = set(walk.provider.keys), {part["idempotency_key"] for part in parts if part["status"] in SENT}
    if accepted - stored:
        known = {part["idempotency_key"]: f"{part['status']}: {part['reason']}" for part in parts}
        said = [known.get(key, "a key that is not stored") for key in accepted - stored]
        yield f"the customer has what the store does not count as sent: {said}"
    if lost := {p["idempotency_key"] for p in parts if p["status"] == "sent" and p["text"] != "Good day."} - accepted:
        yield f"the store counts as sent what the customer has not: {lost}"
