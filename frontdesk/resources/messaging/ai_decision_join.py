"""`ai_decision` of a message and of a conversation: what was done about it last, and why, in words."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, func, literal_column, select

from frontdesk.core.fields import KINDS
from frontdesk.core.schema import metadata

FLAG, MEMBER = "withAiDecision", "ai_decision"
SHOWN = (
    "id", "message_id", "ai_assistant_id", "ai_turn_id", "outcome", "reason", "gate", "config_path", "config_version",
    "sentence", "sentence_es", "would_change", "would_change_es",
)  # fmt: skip


def decision_of_message(source: FromClause) -> ScalarSelect[object]:
    """Of an inbound; null for every other message."""
    return _newest(source, "message_id")


def newest_decision(source: FromClause) -> ScalarSelect[object]:
    """Of a conversation or a ticket: about its last inbound, or its last reminder."""
    return _newest(source, "conversation_id")


def _newest(source: FromClause, column: str) -> ScalarSelect[object]:
    table = metadata.tables["ai_decisions"].alias()
    pairs: list[ColumnElement[Any]] = [literal_column("'decided_at'"), KINDS["moment"].show(table.c.decided_at)]
    for name in SHOWN:
        pairs += [literal_column(f"'{name}'"), table.c[name]]
    return (
        select(func.json_build_object(*pairs))
        .where(
            table.c.organization_id == source.c.organization_id,
            table.c[column] == source.c.id,
            # What one member alone may see is at /ai-decisions only, where it is asked who asks.
            table.c.private_to_user_id.is_(None),
        )
        .order_by(table.c.id.desc())
        .limit(1)
        .correlate(source)
        .scalar_subquery()
    )
