"""Turns: one run of an assistant over the inbounds that nobody has answered yet, with its whole trace.

A turn belongs to one epoch and one configuration version. At most one is open per conversation, by a unique index;
who works on it holds its lease, and each of its writes says `lease_token = …`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Index, ScalarSelect, case, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by

from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource
from frontdesk.core.schema import metadata

from .private_rows import visible
from .session_columns import PRIVATE_TO

ai_turn_steps = Resource(
    path="ai-turn-steps",
    singular="turn step",
    area="messaging",
    description="What a turn did, step by step: each answer of the model and each tool call.",
    verbs=("find", "get"),
    is_soft_deleted=False,
    has_author=False,
    fields=(
        Field("ai_turn_id", "integer", is_nullable=False, references="ai-turns", write="never"),
        Field("position", "small", is_nullable=False, write="never"),
        Field("kind", is_nullable=False, choices=("model", "tool", "summary", "check"), write="never"),
        Field("status", is_nullable=False, choices=("intent", "done", "failed", "unknown", "refused"), write="never"),
        Field("messages", "json", write="never", description="The model's messages of this step."),
        Field("tool_name", write="never"),
        Field("call_id", write="never"),
        Field("arguments", "json", write="never"),
        Field("result", "json", write="never"),
        Field("ai_model_id", "integer", write="never", description="The model that gave this answer."),
        Field("model", write="never", description="Its name in words."),
        Field("is_change", "boolean", is_nullable=False, default=False, write="never"),
        Field("duration_ms", "small", write="never"),
        Field("input_tokens", "small", is_nullable=False, default=0, write="never"),
        Field("output_tokens", "small", is_nullable=False, default=0, write="never"),
        Field("cost", "decimal", write="never"),
        PRIVATE_TO,
    ),
    rewrite=visible,
    constraints=(
        Index(
            "uq_ai_turn_steps_call", text("organization_id"), text("ai_turn_id"), text("call_id"), unique=True,
            postgresql_where=text("call_id IS NOT NULL"),
        ),
        # Calls that went out and have no outcome yet: few at any time, looked for every two seconds.
        Index(
            "ix_ai_turn_steps_intent", text("organization_id"), text("id"), postgresql_where=text("status = 'intent'")
        ),
        Index("uq_ai_turn_steps_position", text("organization_id"), text("ai_turn_id"), text("position"), unique=True),
    ),
    default_sort=(("ai_turn_id", 1), ("position", 1)),
)  # fmt: skip


def _steps(source: FromClause) -> ScalarSelect[object]:
    """The trace: steps in order, without the raw model messages (those are at /ai-turn-steps)."""
    steps = ai_turn_steps.table
    names = ("position", "kind", "status", "tool_name", "call_id", "arguments", "result", "duration_ms",
             "input_tokens", "output_tokens", "cost", "ai_model_id", "model")  # fmt: skip
    pairs: list[ColumnElement[Any]] = []
    for name in names:
        pairs += [literal_column(f"'{name}'"), steps.c[name]]
    ordered = aggregate_order_by(func.json_build_object(*pairs), steps.c.position)
    return (
        select(func.coalesce(func.json_agg(ordered), text("'[]'::json")))
        .where(steps.c.organization_id == source.c.organization_id, steps.c.ai_turn_id == source.c.id)
        .correlate(source)
        .scalar_subquery()
    )


def _parts(source: FromClause) -> ScalarSelect[object]:
    """The receipts: each part of the answer in the order of sending, images too, with what became of it."""
    parts = metadata.tables["outbox"].alias()
    pairs: list[ColumnElement[Any]] = [literal_column("'kind'"), parts.c.payload.op("->>")("kind")]
    for name in ("status", "reason", "attempts", "message_id"):
        pairs += [literal_column(f"'{name}'"), parts.c[name]]
    ordered = aggregate_order_by(func.json_build_object(*pairs), parts.c.id)
    return (
        select(func.coalesce(func.json_agg(ordered), text("'[]'::json")))
        .where(parts.c.organization_id == source.c.organization_id, parts.c.ai_turn_id == source.c.id)
        .correlate(source)
        .scalar_subquery()
    )


def _approvals(source: FromClause) -> ScalarSelect[object]:
    """The calls that waited for a person: how long, for whom, and what came of it."""
    asked = metadata.tables["ai_approvals"].alias()
    names = ("id", "tool_name", "status", "reason", "note", "requested_at", "decided_at", "decided_by_user_id")
    pairs: list[ColumnElement[Any]] = []
    for name in names:
        pairs += [literal_column(f"'{name}'"), asked.c[name]]
    until = func.coalesce(asked.c.decided_at, asked.c.updated_at)
    # Of one that still waits nobody knows yet how long.
    waited = case((asked.c.status != "pending", func.extract("epoch", until - asked.c.requested_at)))
    pairs += [literal_column("'waited_seconds'"), func.round(waited)]
    ordered = aggregate_order_by(func.json_build_object(*pairs), asked.c.id)
    return (
        select(func.coalesce(func.json_agg(ordered), text("'[]'::json")))
        .where(asked.c.organization_id == source.c.organization_id, asked.c.ai_turn_id == source.c.id)
        .correlate(source)
        .scalar_subquery()
    )


ai_turns = Resource(
    path="ai-turns",
    singular="turn",
    area="messaging",
    description="Runs of assistants, with everything that went in and came out.",
    verbs=("find", "get"),
    is_soft_deleted=False,
    has_author=False,
    fields=(
        Field("conversation_id", "integer", is_nullable=False, references="conversations", write="never"),
        Field("ai_assistant_id", "integer", is_nullable=False, references="ai-assistants", write="never"),
        Field("config_version", "small", is_nullable=False, write="never"),
        Field("epoch", "small", is_nullable=False, write="never"),
        Field(
            "status", is_nullable=False, choices=("waiting", "running", "delivering", "ended"), write="never",
            description="waiting (for the burst window, or for a person), running, delivering its parts, or ended.",
        ),
        Field("is_muted", "boolean", is_nullable=False, default=False, write="never"),
        Field("due_at", "moment", is_nullable=False, write="never"),
        Field("burst_deadline", "moment", write="never"),
        Field("lease_token", write="never", is_shown=False),
        Field("lease_expires_at", "moment", write="never"),
        Field("attempts", "small", is_nullable=False, default=0, write="never"),
        Field("effects_started", "boolean", is_nullable=False, default=False, write="never"),
        Field(
            "ai_handoff_id", "integer", write="never",
            description="The hand-off by which another assistant passed these messages on; it names that one's turn.",
        ),
        Field(
            "ai_follow_up_id", "integer", write="never",
            description="The follow-up that it writes; null where it answers the customer.",
        ),
        Field("superseded_by_message_id", "integer", write="never"),
        Field("first_position", "small", is_nullable=False, write="never"),
        Field("last_position", "small", is_nullable=False, write="never"),
        Field("model", "json", write="never"),
        Field(
            "fallback_ai_model_id", "integer", write="never",
            description="The model that stands in for the assistant's own; null while its own answers.",
        ),
        Field("model_failures", "small", write="never", description="Runs in which the model in use failed."),
        Field(
            "model_trials", "json", write="never", schema={"type": ["array", "null"]},
            description="Models that failed before (`failed`), could not be asked (`skipped`) or did not take so long a"
            " history (`shortened`), and why.",
        ),
        Field("approval_waits", "small", write="never", description="How often it waited for a person's approval."),
        Field("prompt", write="never", max_length=1_000_000),
        Field("tools", "json", write="never", description="Tools offered, and why the others were not."),
        Field(
            "images", "json", write="never",
            description="The customer's latest images: which of them the model saw, and why not the others.",
        ),
        Field(
            "structured_output", "json", write="never",
            description="The values of `additional_json_keys` that hold, by key; null where none were asked for.",
        ),
        Field(
            "structured_output_report", "json", write="never", schema={"type": ["array", "null"]},
            description="For each key: given, not_given, missing, invalid; the reason; where it was saved, or why not.",
        ),
        Field("draft", write="never", is_shown=False, max_length=1_000_000),
        Field("draft_seq", "small", is_nullable=False, default=0, write="never", is_shown=False),
        Field("end_reason", write="never"),
        Field("error", write="never", max_length=2000),
        Field("input_tokens", "small", is_nullable=False, default=0, write="never"),
        Field("output_tokens", "small", is_nullable=False, default=0, write="never"),
        Field("cost", "decimal", write="never"),
        Field("started_at", "moment", write="never"),
        Field("ended_at", "moment", write="never"),
        PRIVATE_TO,
    ),
    rewrite=visible,
    tells={
        "ended": "A turn came to its end: answered, or why not. Without prompt and steps.",
        "call_unknown": "Nobody knows whether a call to another system was carried out; `data` names tool and turn.",
    },
    joins={"steps": _steps, "parts": _parts, "approvals": _approvals},
    constraints=(
        Index(
            "uq_ai_turns_open", text("organization_id"), text("conversation_id"), unique=True,
            postgresql_where=text("status <> 'ended'"),
        ),
        Index("ix_ai_turns_due", text("due_at"), postgresql_where=text("status <> 'ended'")),
    ),
    default_sort=(("id", 1),),
)  # fmt: skip
