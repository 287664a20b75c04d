"""`POST /ai-assistants/:id/follow-up-preview`: what a `follow_up_config` would do, before it is saved.

It looks back at the answers of the last days to say how many follow-ups there will be from now on. For what is past
nothing is ever scheduled, and nothing is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import cast

from frontdesk.assistants.config import SECTIONS, config_of
from frontdesk.assistants.follow_up_config import FollowUpConfig
from frontdesk.assistants.follow_up_outlook import Answered, outlook
from frontdesk.assistants.follow_up_warnings import FIELD, follow_up_warnings
from frontdesk.assistants.section import json_schema, read
from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.errors import Json, NotFound
from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource, Rights

from .follow_up_references import look_at_follow_ups

PERIOD = timedelta(days=30)
MOST_ANSWERS = 10_000  # the newest; more would say the same and keep the caller waiting
ASSISTANT = "SELECT * FROM ai_assistants WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"
# Each answer with the customer's words around it. What was cut at the limit is older, so `lead` sees every later one.
ANSWERS = """
    WITH answers AS (
        SELECT t.conversation_id, t.epoch, t.last_position, t.ended_at, c.channel,
            lead(t.ended_at) OVER (PARTITION BY t.conversation_id ORDER BY t.id) AS answered_at
        FROM (
            SELECT id, conversation_id, epoch, last_position, ended_at FROM ai_turns
            WHERE organization_id = $1 AND ai_assistant_id = $2 AND ended_at > $3 AND end_reason = 'answered'
                AND NOT is_muted AND ai_follow_up_id IS NULL
            ORDER BY id DESC LIMIT $4
        ) t
        JOIN conversations c ON c.organization_id = $1 AND c.id = t.conversation_id
        WHERE c.kind IN ('conversation', 'ticket')
    )
    SELECT a.conversation_id, a.epoch, a.channel, a.ended_at, (
            SELECT m.created_at FROM conversation_messages m
            WHERE m.organization_id = $1 AND m.conversation_id = a.conversation_id AND m.position <= a.last_position
                AND m.direction = 'inbound' AND m.message_type <> 'reaction' ORDER BY m.position DESC LIMIT 1
        ) AS heard_at, (
            SELECT m.created_at FROM conversation_messages m
            WHERE m.organization_id = $1 AND m.conversation_id = a.conversation_id AND m.position > a.last_position
                AND m.direction = 'inbound' AND m.message_type <> 'reaction' ORDER BY m.position LIMIT 1
        ) AS replied_at, a.answered_at
    FROM answers a
"""


async def _preview(call: Call) -> Json:
    row = await call.connection.fetchrow(ASSISTANT, call.organization_id, call.id)
    if row is None:
        raise NotFound(f"No record found for id '{call.id}' in 'ai-assistants'.")
    config = config_of(dict(row))
    if FIELD in call.body:
        config = replace(config, follow_up=read(FollowUpConfig, cast(Json, call.data.get(FIELD)), FIELD))
    now = call.door.clock.now()
    warnings = [*follow_up_warnings(config, now), *await look_at_follow_ups(call, config)]
    rows = await call.connection.fetch(ANSWERS, call.organization_id, config.id, now - PERIOD, MOST_ANSWERS)
    # Rules that are switched off are counted too: that is what one wants to know before switching them on.
    found = outlook(config, [Answered(*row) for row in rows], now)
    rules = sorted(config.follow_up.rules, key=lambda rule: (rule.after_minutes, rule.id)) if config.hands_over else []
    shown: list[Json] = [
        {"id": rule.id, "scheduled": found.scheduled[rule.id], "due": found.due[rule.id]} for rule in rules
    ]
    return {
        "ai_assistant_id": config.id, "since": _told(now - PERIOD), "until": _told(now),
        "answers": len(rows), "is_sample": len(rows) == MOST_ANSWERS,
        "rules": shown, "scheduled_for_the_past": 0, "warnings": cast(Json, warnings),
    }  # fmt: skip


def _told(moment: object) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def _out(name: str, kind: str, description: str = "", **schema: Json) -> Field:
    return Field(name, kind, write="never", is_nullable=False, description=description, schema=schema)


_RULE: Mapping[str, Json] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "scheduled": {"type": "integer", "description": "After so many of the answers it would be scheduled."},
        "due": {
            "type": "integer",
            "description": "After so many it would be sent: the customer was silent until it was due,"
            " by schedule, window and max_per_conversation as they are.",
        },
    },
}

ai_assistants_follow_up_preview = Resource(
    path="ai-assistants-follow-up-preview",
    singular="follow-up preview",
    area="assistants",
    description="How many follow-ups a `follow_up_config` will schedule from now on, counted after the answers of the "
    "last 30 days: per rule, and how many of them would be sent. For the past none is scheduled; nothing is stored.",
    under="ai-assistants",
    is_stored=False,
    is_told=False,
    verbs=("create",),
    rights=Rights(write=Role.admin),
    fields=(
        _out("ai_assistant_id", "integer"),
        _out("since", "text", "Begin of the 30 days."),
        _out("until", "text"),
        _out("answers", "small", "How many answers of the assistant were looked at."),
        _out("is_sample", "boolean", f"There were more; these are the newest {MOST_ANSWERS}."),
        _out("rules", "json", "One entry for each rule, the soonest first.", type="array", items=dict(_RULE)),
        _out("scheduled_for_the_past", "small", "Always 0: a rule counts for answers after it was saved."),
        _out("warnings", "json", "Those that saving it would give.", type="array"),
    ),
    extra_input=(
        Field(
            FIELD, "json", schema=json_schema(SECTIONS[FIELD]),
            description="The draft, as a PATCH of the assistant takes it. Left out: as it is stored.",
        ),
    ),
    handlers={"create": _preview},
)  # fmt: skip
