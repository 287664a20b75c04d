"""All 94 keys × access × type of assistant × approval × silent mode: offered, run and the table say the same.

The tools are the wrappers' only: a toolset that has every key, also those that are not built, so that nothing but the
rules stands between the model and a call.
"""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets.abstract import AbstractToolset, ToolsetTool

from frontdesk.assistants.advanced_options import AdvancedOptions
from frontdesk.assistants.config import ACCESS, ASSISTANT_TYPES, AssistantConfig
from frontdesk.assistants.handoff_config import HumanHandoffConfig
from frontdesk.assistants.permission_table import Row, Surroundings, permission_table
from frontdesk.assistants.permissions import SYSTEM_TOOLS
from frontdesk.assistants.skills import Skill
from frontdesk.assistants.tool_keys import BUILT, READING, TOOL_KEYS
from frontdesk.core.database import Database
from frontdesk.core.errors import Json
from frontdesk.runtime.tooling import ToolDeps
from frontdesk.tools.arguments import Ctx
from frontdesk.tools.failures import Refused
from frontdesk.tools.internal import RAW
from frontdesk.tools.wrappers import Allowed
from tests.tools_world import World, config, make_world

EVERY = list(itertools.product(ACCESS, ASSISTANT_TYPES, ("never", "always"), (False, True)))


@dataclass
class EveryKey(AbstractToolset[ToolDeps]):
    """A tool for each key that notes with which reach it was run."""

    reached: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str | None:
        return "every"

    async def get_tools(self, ctx: Ctx) -> dict[str, ToolsetTool[ToolDeps]]:
        return {name: self.tool(name) for name in TOOL_KEYS}

    def tool(self, name: str) -> ToolsetTool[ToolDeps]:
        shown = ToolDefinition(name=name, metadata={"is_change": TOOL_KEYS[name].verb not in READING})
        return ToolsetTool(toolset=self, tool_def=shown, max_retries=0, args_validator=RAW)

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Json:
        assert ctx.deps.reach is not None
        self.reached[name] = "organization" if ctx.deps.reach.scope is None else "own"
        return "done"


@pytest.fixture
async def world(database: Database) -> World:
    return await make_world(database)


def configured(access: str, kind: str, approval: str, is_silent: bool, **more: Any) -> AssistantConfig:
    """All keys on, every second one with the scope that its type does not have by itself."""
    other = "own" if kind == "ai-chat" else "organization"
    switches = {
        name: {"enabled": True, "approval": approval, "scope": other if i % 2 else None}
        for i, name in enumerate(TOOL_KEYS)
    }
    fields = {f"access_{entity}": access for entity in ("contact", "deals", "customer_support")}
    return config(switches, assistant_type=kind, disable_reply=is_silent, **fields, **more)


def rows_of(of: AssistantConfig) -> dict[str, Row]:
    return {str(row["tool"]): row for row in permission_table(of, Surroundings()) if row["kind"] == "internal"}


async def run_all(world: World, tools: EveryKey) -> dict[str, str]:
    """Every key called through the rules: the reach of those that ran."""
    rules, tools.reached = Allowed(tools), {}
    async with world.turn.transaction() as connection:
        context = replace(world.context(), deps=world.deps.within(connection))
        for name in TOOL_KEYS:
            with suppress(Refused):
                await rules.call_tool(name, {}, context, tools.tool(name))
    return tools.reached


async def test_offered_run_and_told_agree_for_every_key(world: World) -> None:
    tools = EveryKey()
    for access, kind, approval, is_silent in EVERY:
        world.configure(configured(access, kind, approval, is_silent))
        rows = rows_of(world.deps.config)
        told = {name: row["scope"] for name, row in rows.items() if row["allowed"]}
        where = (access, kind, approval, is_silent)
        assert set(rows) == set(TOOL_KEYS), where
        assert set(await Allowed(tools).get_tools(world.context())) == set(told), where
        assert await run_all(world, tools) == told, where


async def test_the_real_toolset_offers_what_the_table_says(world: World) -> None:
    for access, kind, approval, is_silent in EVERY:
        world.configure(configured(access, kind, approval, is_silent))
        told = {name for name, row in rows_of(world.deps.config).items() if row["allowed"]}
        shown = await world.toolset.get_tools(world.context())
        assert set(shown) - {"list_tools", "describe_tool", "call_tool"} - SYSTEM_TOOLS.keys() == (
            set() if "list_tools" in shown else told
        )


@pytest.mark.parametrize("key", ["find_contact", "update_deal", "execute_automation"])
async def test_a_key_that_is_off_is_neither_offered_nor_run(world: World, key: str) -> None:
    tools = EveryKey()
    world.configure(config({name: name != key for name in TOOL_KEYS}))
    assert rows_of(world.deps.config)[key]["rule"] == "off"
    assert key not in await Allowed(tools).get_tools(world.context())
    assert key not in await run_all(world, tools)


def test_a_key_that_is_not_built_is_never_allowed() -> None:
    for combination in EVERY:
        rows = rows_of(configured(*combination))
        assert {row["rule"] for name, row in rows.items() if name not in BUILT} == {"not_installed"}


async def test_a_model_without_tools_is_offered_none(world: World) -> None:
    of = configured("read_write", "ai-chat", "never", False, model_takes_tools=False)
    world.configure(of)
    assert {row["rule"] for row in rows_of(of).values() if row["rule"] != "not_installed"} == {"no_tool_support"}
    assert await Allowed(EveryKey()).get_tools(world.context()) == {}
    assert await run_all(world, EveryKey()) == {}


# The parts of a configuration that bring system tools along, each switched on alone.
PARTS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "skills": {"skills": (Skill(1, "Returns", "Asked."),)},
    "images": {"can_send_images": True},
    "web search": {"options": AdvancedOptions.model_validate({"web_search": {"enabled": True}})},
    "hand-offs to people": {
        "human_handoff": HumanHandoffConfig.model_validate(
            {"enabled": True, "rules": [{"id": "r", "type": "customer_request"}]}
        )
    },
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", ASSISTANT_TYPES)
async def test_a_system_tool_is_offered_just_where_the_table_says(world: World, part: str, kind: str) -> None:
    for more in ({}, {"disable_reply": True}, {"model_takes_tools": False}, {"deleted_at": world.deps.clock.now()}):
        of = config({}, assistant_type=kind, **PARTS[part], **more)
        world.configure(of)
        rows = permission_table(of, Surroundings(has_search_engine=world.deps.door.search_engine is not None))
        told = {row["tool"] for row in rows if row["kind"] == "system" and row["allowed"]}
        assert {name for name in await world.offered() if name in SYSTEM_TOOLS} == told, more
