"""`load_skill`: the model reads one of the assistant's skills when the case needs it.

The text is that of the version with which the turn began; a skill that was deleted meanwhile is not read any more.
"""

from __future__ import annotations

from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets.abstract import AbstractToolset, ToolsetTool

from frontdesk.assistants.skills import LOAD_SKILL, Skill, named
from frontdesk.core.errors import Json
from frontdesk.runtime.tooling import ToolDeps

from .arguments import Ctx
from .failures import Refused, WrongCall
from .internal import RAW

CONTENT = """
    SELECT coalesce((
        SELECT old ->> 'content'
        FROM ai_assistant_versions v, jsonb_array_elements(v.snapshot -> 'skills') AS old
        WHERE v.organization_id = $1 AND v.ai_assistant_id = $2 AND v.version = $3 AND (old ->> 'id')::bigint = $4
    ), s.content)
    FROM ai_assistant_skills s
    WHERE s.organization_id = $1 AND s.assistant_id = $2 AND s.id = $4 AND s.deleted_at IS NULL
"""


class SkillToolset(AbstractToolset[ToolDeps]):
    """One tool, for the assistants that have skills."""

    @property
    def id(self) -> str | None:
        return "skills"

    async def get_tools(self, ctx: Ctx) -> dict[str, ToolsetTool[ToolDeps]]:
        skills = ctx.deps.config.skills
        if not skills:
            return {}
        return {LOAD_SKILL: ToolsetTool(toolset=self, tool_def=definition(skills), max_retries=0, args_validator=RAW)}

    async def call_tool(self, name: str, tool_args: dict[str, object], ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Json:
        deps, config = ctx.deps, ctx.deps.config
        if deps.connection is None:
            raise RuntimeError("a tool was called around its wrappers")
        skill = named(config.skills, str(tool_args.get("name", "")))
        if skill is None:
            known = ", ".join(one.name for one in config.skills)
            raise WrongCall(f"{LOAD_SKILL} was not called: name must be one of: {known}.")
        content = await deps.connection.fetchval(CONTENT, config.organization_id, config.id, config.version, skill.id)
        if content is None:
            raise Refused(f"The skill {skill.name} has been deleted. Go on without it.")
        return {"name": skill.name, "content": content}


def definition(skills: tuple[Skill, ...]) -> ToolDefinition:
    """Names are listed, because a small model otherwise invents some."""
    schema: dict[str, Json] = {
        "type": "object",
        "properties": {"name": {"type": "string", "enum": [skill.name for skill in skills]}},
        "required": ["name"],
        "additionalProperties": False,
    }
    return ToolDefinition(
        name=LOAD_SKILL,
        description="Read one of your skills. Its text is part of your instructions.",
        parameters_json_schema=schema,
        # The prompt speaks of it by name, so it never goes into the catalogue of tools.
        metadata={"is_change": False, "stays": True},
    )
