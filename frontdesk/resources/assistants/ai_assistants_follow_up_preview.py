"""`POST /ai-assistants/:id/follow-up-preview`: what a `follow_up_config` would do, before it is saved.

It looks back at the answers of the last days to say how many follow-ups there will be from now on. For what is past
nothing is ever scheduled, and nothing is stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import cast

from frontdesk.assistants.config import SECTIONS, AssistantConfig, config_of
from frontdesk.assistants.follow_up_config import FollowUpConfig, FollowUpRule
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
# For each rule: after how many of the answers it would have been scheduled, and after how many of them the customer
# wrote nothing and got no further answer until it was due.
COUNTS = """
    WITH answers AS (
        SELECT t.conversation_id, t.last_position, t.ended_at, c.channel FROM ai_turns t
        JOIN conversations c ON c.organization_id = t.organization_id AND c.id = t.conversation_id
        WHERE t.organization_id = $1 AND t.ai_assistant_id = $2 AND t.ended_at > $3 AND t.end_reason = 'answered'
            AND NOT t.is_muted AND t.ai_follow_up_id IS NULL AND c.kind IN ('conversation', 'ticket')
        ORDER BY t.id DESC LIMIT $4
    ), followed AS (
        SELECT a.channel, a.ended_at, (
            SELECT m.created_at FROM conversation_messages m
            WHERE m.organization_id = $1 AND m.conversation_id = a.conversation_id AND m.position > a.last_position
                AND m.direction = 'inbound' AND m.message_type <> 'reaction' ORDER BY m.position LIMIT 1
            ) AS next_at
        FROM answers a
    )
    SELECT r.id, count(f.ended_at) AS scheduled,
        count(f.ended_at) FILTER (
            WHERE coalesce(f.next_at, $5) >= f.ended_at + make_interval(mins => r.minutes)) AS due,
        (SELECT count(*) FROM answers) AS answers
    FROM jsonb_to_recordset($6::jsonb) AS r(id text, minutes integer, channels jsonb)
    LEFT JOIN followed f ON jsonb_array_length(r.channels) = 0 OR r.channels ? f.channel
    GROUP BY r.id, r.minutes ORDER BY r.minutes, r.id
"""
ANSWERS = """
    SELECT count(*) FROM ai_turns t WHERE t.organization_id = $1 AND t.ai_assistant_id = $2 AND t.ended_at > $3
        AND t.end_reason = 'answered' AND NOT t.is_muted AND t.ai_follow_up_id IS NULL
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
    counts = await _counts(call, config)
    return {
        "ai_assistant_id": config.id, "since": _told(now - PERIOD), "until": _told(now),
        "answers": counts["answers"], "is_sample": counts["answers"] == MOST_ANSWERS,
        "rules": counts["rules"], "scheduled_for_the_past": 0, "warnings": cast(Json, warnings),
    }  # fmt: skip


def _told(moment: object) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


async def _counts(call: Call, config: AssistantConfig) -> dict[str, Json]:
    now = call.door.clock.now()
    where = (call.organization_id, config.id, now - PERIOD)
    # Rules that are switched off are counted too: that is what one wants to know before switching them on.
    rules: tuple[FollowUpRule, ...] = tuple(config.follow_up.rules) if config.hands_over else ()
    wanted = [{"id": rule.id, "minutes": rule.after_minutes, "channels": rule.channels} for rule in rules]
    found = await call.connection.fetch(COUNTS, *where, MOST_ANSWERS, now, json.dumps(wanted)) if rules else []
    answers = found[0]["answers"] if found else min(await call.connection.fetchval(ANSWERS, *where), MOST_ANSWERS)
    shown: list[Json] = [{"id": row["id"], "scheduled": row["scheduled"], "due": row["due"]} for row in found]
    return {"answers": answers, "rules": shown}


def _out(name: str, kind: str, description: str = "", **schema: Json) -> Field:
    return Field(name, kind, write="never", is_nullable=False, description=description, schema=schema)


_RULE: Mapping[str, Json] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "scheduled": {"type": "integer", "description": "After so many of the answers it would be scheduled."},
        "due": {"type": "integer", "description": "After so many the customer was silent until it would be due."},
    },
}

ai_assistants_follow_up_preview = Resource(
    path="ai-assistants-follow-up-preview",
    singular="follow-up preview",
    area="assistants",
    description="How many follow-ups a `follow_up_config` will schedule from now on, counted after the answers of the "
    "last 30 days: per rule, and how many of them would come due. For the past none is scheduled; nothing is stored.",
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
