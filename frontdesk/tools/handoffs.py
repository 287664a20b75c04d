"""`transfer_to_human`, `transfer_to_assistant`: the model gives the conversation away, in cases that the tool names.

The call is the hand-off: owner, line, note and the turn's end are one transaction, and the model is not asked again.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets.abstract import AbstractToolset, ToolsetTool

from frontdesk.assistants.assistant_handoff_config import TRANSFER_TO_ASSISTANT, HandoffTarget
from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.handoff_config import TRANSFER_TO_HUMAN, Condition
from frontdesk.assistants.permissions import permission
from frontdesk.core.errors import Json
from frontdesk.runtime.tooling import PassOn, ToolDeps, Transfer

from .arguments import Ctx
from .failures import WrongCall
from .internal import RAW

LONGEST_REASON, LONGEST_SUMMARY = 500, 2_000
# It ends the turn, and a limit of calls must not keep a turn from ending.
METADATA = {"is_change": True, "stays": True, "ends_turn": True}
ASKS = "The customer asks for a person, or does not want to talk with an assistant."


class HandoffToolset(AbstractToolset[ToolDeps]):
    """The tools that give a conversation away, for the assistants that may."""

    @property
    def id(self) -> str | None:
        return "hand-offs"

    async def get_tools(self, ctx: Ctx) -> dict[str, ToolsetTool[ToolDeps]]:
        config, found = ctx.deps.config, list[ToolDefinition]()
        if permission(config, TRANSFER_TO_HUMAN).is_allowed:
            found.append(to_human(config))
        if permission(config, TRANSFER_TO_ASSISTANT).is_allowed and (targets := _targets(ctx)):
            found.append(to_assistant(targets))
        return {one.name: ToolsetTool(toolset=self, tool_def=one, max_retries=0, args_validator=RAW) for one in found}

    async def call_tool(self, name: str, tool_args: dict[str, object], ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Json:
        deps = ctx.deps
        if deps.connection is None:
            raise RuntimeError("a tool was called around its wrappers")
        reason = " ".join(str(tool_args.get("reason") or "").split())[:LONGEST_REASON] or None
        summary = str(tool_args.get("summary") or "").strip()[:LONGEST_SUMMARY] or None
        if name == TRANSFER_TO_ASSISTANT:
            await deps.turn.pass_on(deps.connection, PassOn(_target_of(name, tool_args, ctx), reason, summary))
            return {"handed_over": True}
        judged = deps.config.human_handoff.judged
        # One rule needs no choice, and a small model leaves it out.
        rule_id = str(tool_args.get("rule") or (judged[0].id if len(judged) == 1 else ""))
        if rule_id not in {rule.id for rule in judged}:
            known = ", ".join(rule.id for rule in judged)
            raise WrongCall(f"{name} was not called: rule must be one of: {known}.")
        await deps.turn.hand_over(deps.connection, Transfer(rule_id, reason, summary))
        return {"handed_over": True}


def _targets(ctx: Ctx) -> list[HandoffTarget]:
    """Whom this message has not been with yet; none at the end of the chain."""
    handoff, hops = ctx.deps.config.assistant_handoff, ctx.deps.turn.hops
    return [t for t in handoff.open_targets if t.assistant_id not in hops] if len(hops) < handoff.max_hops else []


def _target_of(name: str, tool_args: dict[str, object], ctx: Ctx) -> int:
    known = [target.assistant_id for target in _targets(ctx)]
    wanted = str(tool_args.get("assistant_id", ""))
    if wanted not in map(str, known):
        ids = ", ".join(map(str, known)) or "nobody"
        raise WrongCall(f"{name} was not called: assistant_id must be one of: {ids}.")
    return int(wanted)


def to_assistant(targets: Sequence[HandoffTarget]) -> ToolDefinition:
    """The targets by id, each with the cases that are its own."""
    properties: dict[str, Json] = {
        "assistant_id": {"type": "integer", "enum": [target.assistant_id for target in targets]},
        "reason": {"type": "string", "description": "Why, in a few words, for the team."},
    }
    if any(target.share == "summary" for target in targets):
        properties["summary"] = {
            "type": "string",
            "description": "What the other one must know: it does not read what was said before.",
        }
    schema: dict[str, Json] = {
        "type": "object", "properties": properties, "required": ["assistant_id", "reason"],
        "additionalProperties": False,
    }  # fmt: skip
    description = "\n".join([
        "Pass this conversation on to another assistant, who answers the customer's message in your place. Your part"
        " ends with this call: write nothing beside it. Call it before you answer when one of these is the case:",
        *(f"- {target.assistant_id}: {target.when}" for target in targets),
    ])  # fmt: skip
    return ToolDefinition(
        name=TRANSFER_TO_ASSISTANT, description=description, parameters_json_schema=schema, metadata=METADATA
    )


def to_human(config: AssistantConfig) -> ToolDefinition:
    """The cases are the rules that only a model can judge, in the order in which they count."""
    judged = config.human_handoff.judged
    cases = [f"- {rule.id}: {rule.description if isinstance(rule, Condition) else ASKS}" for rule in judged]
    properties: dict[str, Json] = {
        "rule": {"type": "string", "enum": [rule.id for rule in judged], "description": "Which case it is."},
        "reason": {"type": "string", "description": "Why, in a few words, for the team."},
    }
    if config.human_handoff.summary:
        properties["summary"] = {
            "type": "string",
            "description": "What the person must know: what the customer wants, what was said, what is still to do.",
        }
    schema: dict[str, Json] = {
        "type": "object", "properties": properties, "required": ["rule", "reason"], "additionalProperties": False,
    }  # fmt: skip
    description = "\n".join([
        "Give this conversation to a person of the team. Your part ends with this call: the customer is told by the"
        " system, so write nothing beside it. Call it as soon as one of these is the case:",
        *cases,
    ])  # fmt: skip
    return ToolDefinition(
        name=TRANSFER_TO_HUMAN, description=description, parameters_json_schema=schema, metadata=METADATA
    )
