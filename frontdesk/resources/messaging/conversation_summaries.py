"""The running summary of a long conversation: what an assistant knows of the messages that it does not read any more.

One row for each conversation, made longer by the turns. It counts only as long as the context is the one that it was
made of: what begins anew at a reopening or at `ai_context_cut` begins without it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, func, literal_column, select

from frontdesk.core.door import Call
from frontdesk.core.fields import KINDS, Field
from frontdesk.core.resource import Resource
from frontdesk.core.schema import metadata

from .private_rows import visible
from .session_columns import PRIVATE_TO

LONGEST_SUMMARY = 6_000  # characters; the models are asked for much less
FORGET = """
    DELETE FROM conversation_summaries s USING conversation_messages m
    WHERE m.organization_id = $1 AND m.id = $2 AND s.organization_id = $1 AND s.conversation_id = m.conversation_id
        AND s.up_to_position >= m.position
"""
SHOWN = ("summary_text", "up_to_position", "message_count", "ai_turn_id")

conversation_summaries = Resource(
    path="conversation-summaries",
    singular="summary",
    area="messaging",
    description="What assistants are told of the older part of a long conversation. Written by their own models.",
    verbs=("find", "get"),
    is_soft_deleted=False,
    has_author=False,
    is_told=False,
    fields=(
        Field("conversation_id", "integer", is_nullable=False, references="conversations", write="never"),
        Field("ai_turn_id", "integer", is_nullable=False, references="ai-turns", write="never"),
        Field("ai_assistant_id", "integer", is_nullable=False, references="ai-assistants", write="never"),
        Field("summary_text", is_nullable=False, max_length=LONGEST_SUMMARY, write="never"),
        Field(
            "up_to_position", "small", is_nullable=False, write="never",
            description="The position of the last message that it tells of.",
        ),
        Field("message_count", "small", is_nullable=False, write="never", description="How many messages it tells of."),
        Field("ai_context_cut", "moment", write="never", description="The context's begin; the conversation's then."),
        Field("model", write="never", description="Who wrote it last."),
        PRIVATE_TO,
    ),
    unique=(("conversation_id",),),
    rewrite=visible,
)  # fmt: skip


async def forget(call: Call) -> None:
    """What a deleted message said is not told by a summary either: the next turn makes a new one, without it."""
    if call.verb == "remove":
        await call.connection.execute(FORGET, call.organization_id, call.id)


def summary_in_force(source: FromClause) -> ScalarSelect[object]:
    """The summary of a conversation's present context; null where there is none."""
    table = metadata.tables["conversation_summaries"].alias()
    pairs: list[ColumnElement[Any]] = [literal_column("'updated_at'"), KINDS["moment"].show(table.c.updated_at)]
    for name in SHOWN:
        pairs += [literal_column(f"'{name}'"), table.c[name]]
    return (
        select(func.json_build_object(*pairs))
        .where(
            table.c.organization_id == source.c.organization_id,
            table.c.conversation_id == source.c.id,
            table.c.ai_context_cut.is_not_distinct_from(source.c.ai_context_cut),
        )
        .correlate(source)
        .scalar_subquery()
    )
