"""Staff chats: one member of the organization talks with one assistant of the type `ai-chat` (`docs/why/0068`).

Conversations of the kind `ai-chat`, with no contact and no inbox. Each belongs to who began it, and to nobody else.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import ARRAY, ColumnElement, Table, Text, all_, cast, exists, func, literal_column, or_, select

from frontdesk.core import custom_values
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Field, Plain, Wrong
from frontdesk.core.jobs import enqueue
from frontdesk.core.joins import joined
from frontdesk.core.resource import Filter, Resource
from frontdesk.core.schema import metadata

from .conversations import END_EPOCH, TYPE_OF, conversations
from .private_rows import of_author, viewer
from .session_columns import AI_CHAT, LONGEST_TITLE

LONGEST_TERM = 200  # characters


def check_title(value: Plain) -> Plain:
    """One line."""
    line = " ".join(str(value).split())
    if not line:
        raise Wrong("minLength", "must not be empty")
    return line


def _check_term(value: Plain) -> Plain:
    if len(str(value)) > LONGEST_TERM:
        raise Wrong("maxLength", f"must not have more than {LONGEST_TERM} characters", limit=LONGEST_TERM)
    return value


def _is_about(table: Table, value: ColumnElement[object]) -> ColumnElement[bool]:
    """All words stand in the title, or in one message. Row by row: they are the few rows of one user."""
    messages = metadata.tables["conversation_messages"]
    patterns = cast(select(func.search_patterns(value)).scalar_subquery(), ARRAY(Text))
    said = select(messages.c.id).where(
        messages.c.organization_id == table.c.organization_id,
        messages.c.conversation_id == table.c.id,
        messages.c.deleted_at.is_(None),
        messages.c.search_text.like(all_(patterns)),
    )
    # OFFSET keeps the planner from reading everybody's messages first.
    return or_(func.frontdesk_fold(table.c.title).like(all_(patterns)), exists(said.offset(literal_column("0"))))


async def _prepare(call: Call) -> None:
    if call.verb == "patch" and "title" in call.body and call.data.get("title") is None:
        raise Invalid([Fault("title", "type", "must be string, not null")])
    if call.verb != "create":
        return
    found = await call.connection.fetchval(TYPE_OF, call.organization_id, call.data["assigned_ai_assistant_id"])
    if found != AI_CHAT:
        message = f"is an assistant of the type {found}; a chat of the team takes one of the type {AI_CHAT}"
        raise Invalid([Fault("assigned_ai_assistant_id", "assistantType", message)])
    call.data["last_interaction_at"] = call.door.clock.now()


async def _finish(call: Call) -> None:
    """Whoever works on the answer of a deleted session learns at once that nobody waits for it."""
    if call.verb == "remove" and call.id is not None:
        await call.connection.execute(END_EPOCH, call.organization_id, call.id)
        await enqueue(call.connection, "conversation", call.organization_id, call.id)


_OWN = (
    Field(
        "assigned_ai_assistant_id", "key", is_required=True, is_nullable=False, references="ai-assistants",
        write="create", example=1, description="An assistant of the type ai-chat.",
    ),
    Field(
        "title", max_length=LONGEST_TITLE, check=check_title, example="Deals of this week",
        description="Left out, it is made of the first words of the first message.",
    ),
    Field("last_interaction_at", "moment", write="never", description="When the newest message came."),
    Field("last_position", "small", is_nullable=False, default=0, write="never", description="Of the newest message."),
)  # fmt: skip
_SHOWN = {f.name: f for f in _OWN}

ai_chat_sessions = Resource(
    path="ai-chat-sessions",
    singular="AI chat session",
    area="messaging",
    description="Chats of a member with an assistant of the team. Only who began one sees it, with a login.",
    of="conversations",
    fixed={"kind": AI_CHAT, "channel": AI_CHAT},
    is_personal=True,
    private_to=viewer,
    fields=tuple(
        _SHOWN.get(f.name) or replace(f, write="never", is_shown=False, references=None, example=None)
        for f in conversations.fields
        if f is not custom_values.HIDDEN
    ),
    joins={"assigned_ai_assistant": joined("ai-assistants", "assigned_ai_assistant_id", "id", "name")},
    filters={"searchTerm": Filter("text", _is_about, "Words of the title or of a message.", _check_term)},
    default_sort=(("last_interaction_at", -1), ("id", -1)),
    rewrite=of_author,
    prepare=_prepare,
    finish=_finish,
)
