"""Skills: texts of one assistant that its model loads when they matter. A change of one is a version of both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from sqlalchemy import Index, text

from frontdesk.assistants.skills import LONGEST_CONTENT, LONGEST_NAME, LONGEST_WHEN, MOST_CHARACTERS, MOST_SKILLS
from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Field, Plain, Wrong
from frontdesk.core.resource import Resource, Rights

from .ai_assistant_versions import write_skill_version

# Held to the end: two who add a skill at once do not pass the limits together, and versions come one after another.
LOCK = "SELECT id FROM ai_assistants WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE"
OTHERS = """
    SELECT count(*), coalesce(sum(length(content)), 0) FROM ai_assistant_skills
    WHERE organization_id = $1 AND assistant_id = $2 AND deleted_at IS NULL AND id IS DISTINCT FROM $3
"""


async def _prepare(call: Call) -> None:
    before, data = call.before or {}, call.data
    assistant_id = cast(int, before.get("assistant_id") or data.get("assistant_id"))
    if before and call.verb == "patch" and call.body.get("assistant_id", assistant_id) != assistant_id:
        raise Invalid([Fault("assistant_id", "immutable", "cannot be changed; add the skill to the other assistant")])
    await call.connection.fetchval(LOCK, call.organization_id, assistant_id)
    if call.verb == "remove":
        return
    count, characters = await call.connection.fetchrow(OTHERS, call.organization_id, assistant_id, call.id)  # type: ignore[misc]
    if faults := _too_much(call.verb == "create", count, characters, {**before, **data}):
        raise Invalid(faults)
    # What is sent as it is stored changes nothing: no version, no snapshot.
    call.data = {name: value for name, value in data.items() if name not in before or before[name] != value}


def _too_much(is_new: bool, count: int, characters: int, skill: Mapping[str, object]) -> list[Fault]:
    if is_new and count >= MOST_SKILLS:
        message = f"has {MOST_SKILLS} skills, which is all that an assistant can have"
        return [Fault("assistant_id", "maxItems", message, limit=MOST_SKILLS)]
    if characters + len(str(skill["content"])) > MOST_CHARACTERS:
        left = max(0, MOST_CHARACTERS - characters)
        message = f"is too long: all skills of an assistant have {MOST_CHARACTERS} characters; {left} are left"
        return [Fault("content", "maxLength", message, limit=left)]
    return []


async def _finish(call: Call) -> None:
    if call.data or call.verb == "remove":
        skill = call.before or cast("dict[str, object]", call.data)
        await write_skill_version(call, int(str(skill["assistant_id"])))


def _line(value: Plain) -> Plain:
    """One line, so that a list of skills is one line for each."""
    line = " ".join(str(value).split())
    if not line:
        raise Wrong("minLength", "must not be empty")
    return line


def _written(value: Plain) -> Plain:
    if not str(value).strip():
        raise Wrong("minLength", "must not be empty")
    return value


ai_assistant_skills = Resource(
    path="ai-assistant-skills",
    singular="skill",
    area="assistants",
    description="Texts that an assistant loads only when they matter. Its prompt holds `name` and `when_to_use`; the "
    "model loads `content` when it needs it. A change is a version of the assistant, and goes with it.",
    rights=Rights(write=Role.admin),
    fields=(
        Field(
            "assistant_id", "integer", is_required=True, is_nullable=False, references="ai-assistants",
            on_remove="remove", write="create",
        ),
        Field(
            "name", is_required=True, is_nullable=False, max_length=LONGEST_NAME, check=_line,
            example="Returns", description="Unique in the assistant, whatever the case of its letters.",
        ),
        Field(
            "when_to_use", is_required=True, is_nullable=False, max_length=LONGEST_WHEN, check=_line,
            example="The customer wants to send something back.",
        ),
        Field(
            "content", is_required=True, is_nullable=False, max_length=LONGEST_CONTENT, check=_written,
            example="Goods can be sent back within 30 days …",
        ),
    ),
    constraints=(
        Index(
            "uq_ai_assistant_skills_name", "organization_id", "assistant_id", text("lower(name)"), unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
    ),
    prepare=_prepare,
    finish=_finish,
)  # fmt: skip
