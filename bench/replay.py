"""A change tried on the past: a draft of hours, hand-off rules and limits over a month of a busy assistant.

Over HTTP, at a real server with row-level security on; the record is made by SQL as the spine leaves it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from bench import installation, processes, tables
from frontdesk.assistants.config import AssistantConfig
from frontdesk.core.clock import SystemClock
from frontdesk.runtime.facts import Facts
from frontdesk.runtime.gates import evaluate, facts_json

CONVERSATIONS, MESSAGES = 6_000, 10
TARGET = 50_000.0  # inbounds a minute
DRAFT: Mapping[str, Any] = {
    "timezone": "America/Bogota",
    "schedule_config": {
        "enabled": True,
        "weekly": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00"}],
        "out_of_schedule": {"action": "message", "message": "We open at eight.", "once_per_hours": 4},
    },
    "human_handoff_config": {
        "enabled": True,
        "rules": [
            {"id": "words", "type": "keywords", "keywords": ["lawyer", "refund", "complaint", "talk to a person"]},
            {"id": "many", "type": "message_count", "count": 9},
            {"id": "files", "type": "attachment", "kinds": ["document"]},
        ],
    },
    "advanced_options": {"budget": {"max_cost_per_conversation": 0.05, "max_cost_per_day": 50}},
}
REMINDERS: Mapping[str, Any] = {
    "follow_up_config": {
        "enabled": True,
        "max_per_conversation": 3,
        "rules": [
            {"id": "soon", "after_minutes": 5, "mode": "fixed", "message": "Are you still there?"},
            {"id": "later", "after_minutes": 1440, "mode": "ai", "instructions": "Ask kindly."},
        ],
    }
}
TALKS = """
INSERT INTO conversations (organization_id, contact_id, channel, kind, status, assigned_ai_assistant_id,
    ai_auto_assignment_disabled, blocked, is_contact_verified, epoch, episode, last_position, unread_count,
    last_interaction_at, created_at, updated_at)
SELECT $1, (SELECT min(id) FROM contacts WHERE organization_id = $1), 'playground', 'conversation', 'open', $2,
    false, false, true, 1, 1, $4 * 2, 0, now(), now() - interval '30 days', now()
FROM generate_series(1, $3::int)
"""
INBOUNDS = """
INSERT INTO conversation_messages (organization_id, conversation_id, position, channel, kind, direction, sender,
    message_type, message_text, status, created_at, updated_at)
SELECT c.organization_id, c.id, p * 2 - 1, c.channel, 'conversation', 'inbound', 'contact', 'text',
    CASE WHEN (c.id + p) % 97 = 0 THEN 'Then I want a refund, please.'
        ELSE 'Do you have an appointment for the cleaning on Thursday afternoon, after four?' END,
    'stored', s.at, s.at
FROM conversations c, generate_series(1, $2::int) p,
    LATERAL (SELECT now() - interval '28 days' + (c.id % 40000 + p * 7) * interval '1 minute' AS at) s
WHERE c.organization_id = $1
"""
TURNS = """
INSERT INTO ai_turns (organization_id, conversation_id, ai_assistant_id, config_version, epoch, status, is_muted,
    due_at, attempts, effects_started, first_position, last_position, draft_seq, input_tokens, output_tokens, cost,
    end_reason, started_at, ended_at, created_at, updated_at)
SELECT m.organization_id, m.conversation_id, $2, 1, 1, 'ended', false, m.created_at, 1, true, m.position, m.position, 0,
    2000, 80, 0.004, 'answered', m.created_at, m.created_at, m.created_at, m.created_at
FROM conversation_messages m WHERE m.organization_id = $1
"""
DECISIONS = """
INSERT INTO ai_decisions (organization_id, conversation_id, message_id, ai_assistant_id, ai_turn_id, outcome, reason,
    gates, facts, decided_at, config_version, sentence, created_at, updated_at)
SELECT m.organization_id, m.conversation_id, m.id, $2, t.id, 'answered', 'answered', $3, $4, m.created_at, 1,
    'Answered.', m.created_at, m.created_at
FROM conversation_messages m
JOIN ai_turns t ON t.organization_id = m.organization_id AND t.conversation_id = m.conversation_id
    AND t.first_position = m.position
WHERE m.organization_id = $1
"""


async def fill(url: str, organization_id: int, assistant_id: int, conversations: int) -> None:
    """A month of answered messages."""
    facts = Facts(assigned_ai_assistant_id=assistant_id, tokens_today=120_000, epoch=1)
    decision = evaluate(AssistantConfig(assistant_id, organization_id), facts, SystemClock().now())
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(TALKS, organization_id, assistant_id, conversations, MESSAGES)
        await connection.execute(INBOUNDS, organization_id, MESSAGES)
        await connection.execute(TURNS, organization_id, assistant_id)
        await connection.execute("ANALYZE")
        stored = json.dumps(decision.gates_json()), json.dumps(facts_json(facts))
        await connection.execute(DECISIONS, organization_id, assistant_id, *stored)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def replay(client: httpx.Client, assistant_id: int, draft: Mapping[str, Any]) -> tuple[dict[str, Any], float, int]:
    """The answer's last part, the seconds of all, and how many messages were replayed."""
    began, after, count = time.perf_counter(), None, 0
    while True:
        period = {"from": time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() - 30 * 86_400))}
        body = {**draft, "period": period} | ({} if after is None else {"after_conversation_id": after})
        answer = client.post(f"/ai-assistants/{assistant_id}/replay", json=body)
        answer.raise_for_status()
        found = answer.json()
        count, after = count + found["inbounds"], found["after_conversation_id"]
        if found["is_complete"]:
            return found, time.perf_counter() - began, count


def measure(quick: bool) -> str:
    """The section of RESULTS.md."""
    conversations = CONVERSATIONS // 10 if quick else CONVERSATIONS
    key = f"fd_{secrets.token_urlsafe(32)}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frontdesk-bench-")))
        url, _ = stack.enter_context(installation.database(folder))
        seeded = asyncio.run(installation.seed(url, key, 1))
        port = processes.free_port()
        env = installation.variables(url, folder, FRONTDESK_PORT=str(port), FRONTDESK_MODEL="none")
        log = folder / "frontdesk.log"
        server = stack.enter_context(processes.started(processes.frontdesk("serve"), env, log))
        address = f"http://127.0.0.1:{port}"
        processes.wait_for(server, f"{address}/conversations", log, {"x-api-key": key})
        client = stack.enter_context(httpx.Client(base_url=address, headers={"x-api-key": key}, timeout=90))
        model = client.get("/ai-models?$limit=1").raise_for_status().json()["data"][0]["id"]
        body = {"name": "Eva", "assistant_type": "conversation", "ai_model_id": model}
        assistant_id = client.post("/ai-assistants", json=body).raise_for_status().json()["id"]
        asyncio.run(fill(url, seeded.organization_id, assistant_id, conversations))
        taken = {
            "hours, words, counts and limits": replay(client, assistant_id, DRAFT),
            "two reminders behind each answer": replay(client, assistant_id, REMINDERS),
            "all of these": replay(client, assistant_id, {**DRAFT, **REMINDERS}),
            "the configuration in force": replay(client, assistant_id, {}),
        }
    return render(taken)


def render(taken: Mapping[str, tuple[Mapping[str, Any], float, int]]) -> str:
    rows = [
        (title, f"{count:,}", f"{seconds:.1f}", f"{count / seconds * 60:,.0f}",
         f"{sum(change.get('inbounds', 0) for change in found['changes'].values()):,}",
         f"{sum(found['reminders']['draft'].values()):,}")
        for title, (found, seconds, count) in taken.items()
    ]  # fmt: skip
    slowest = min(count / seconds * 60 for _, seconds, count in taken.values())
    return "\n\n".join([
        "## Replay: a change tried on the past",
        f"A month of one assistant, {MESSAGES} messages in each conversation, over HTTP. No model is asked.",
        tables.table(("draft", "inbounds", "s", "inbounds a minute", "differences", "reminders"), rows),
        f"- At least {slowest:,.0f} inbounds a minute; the target of {TARGET:,.0f} is "
        f"{'met' if slowest >= TARGET else 'missed'}.",
    ])  # fmt: skip


def unable() -> str | None:
    """It needs nothing but this checkout."""
    return None
