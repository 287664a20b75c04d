"""The catalogue that stands in for a list of tools which would cost too much: list, describe, call."""

from dataclasses import replace

import pytest
from pydantic_ai.exceptions import ToolFailed

from frontdesk.assistants.skills import Skill
from frontdesk.core.database import Database
from frontdesk.core.errors import Json
from frontdesk.tools.catalogue import MOST_CHARACTERS, characters
from frontdesk.tools.internal import InternalToolset
from frontdesk.tools.skills import SkillToolset
from frontdesk.tools.table import TOOLS
from frontdesk.tools.together import Together
from frontdesk.tools.wrappers import wrapped
from tests.tools_world import BOB, World, config, make_world

THREE = {"list_tools", "describe_tool", "call_tool"}


@pytest.fixture
async def world(database: Database) -> World:
    return await make_world(database, wrapped(InternalToolset(TOOLS.values()), most_characters=0))


async def ask(world: World, name: str, /, **arguments: Json) -> Json:
    """As the loop does it: the tool as it was offered."""
    context = world.context()
    tool = (await world.toolset.get_tools(context))[name]
    try:
        return await world.toolset.call_tool(name, arguments, context, tool)
    except ToolFailed as failed:
        return failed.message


async def test_a_list_that_is_short_enough_is_offered_itself(database: Database) -> None:
    world = await make_world(database)
    offered = await world.toolset.get_tools(world.context())
    assert set(offered) == set(TOOLS)
    assert characters(offered) <= MOST_CHARACTERS


async def test_a_list_that_is_too_long_becomes_three_tools(world: World) -> None:
    assert await world.offered() == THREE


async def test_skills_stay_beside_the_catalogue_because_the_prompt_names_them(database: Database) -> None:
    both = Together((InternalToolset(TOOLS.values()), SkillToolset()))
    world = await make_world(database, wrapped(both, most_characters=0))
    world.configure(replace(config({"get_contact": True}), skills=(Skill(1, "Returns", "Something is sent back."),)))
    assert await world.offered() == {*THREE, "load_skill"}


async def test_it_lists_what_is_allowed_and_nothing_else(world: World) -> None:
    world.configure(config({"get_contact": True, "search_products": True}))
    everything = await ask(world, "list_tools")
    assert everything == {
        "total": 2,
        "data": [
            {"name": "get_contact", "description": "Read one contact."},
            {"name": "search_products", "description": "Find products and services with their prices"},
        ],
    }
    products = await ask(world, "list_tools", area="products")
    assert isinstance(products, dict)
    assert products["total"] == 1


async def test_it_describes_a_tool_as_the_list_would_have_shown_it(world: World) -> None:
    definition = TOOLS["add_note"].definition
    assert await ask(world, "describe_tool", name="add_note") == {
        "name": "add_note", "description": definition.description, "parameters": definition.parameters_json_schema,
    }  # fmt: skip


async def test_a_call_works_on_real_rows_and_is_a_step_of_its_own(world: World) -> None:
    result = await ask(world, "call_tool", name="update_contact", arguments={"first_name": "Vi"})
    assert isinstance(result, dict)
    assert result["first_name"] == "Vi"
    assert [(one.tool_name, one.status) for one in world.turn.records] == [("call_tool", "done")]
    assert world.turn.effects == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"name": "drop_table", "arguments": {}}, "There is no tool 'drop_table': take a name from list_tools."),
        ({"arguments": {}}, "There is no tool 'None': take a name from list_tools."),
        ({"name": "get_contact", "arguments": [1]}, "get_contact takes its arguments as one JSON object."),
        ({"name": "get_contact"}, "get_contact takes its arguments as one JSON object."),
        ({"name": "get_contact", "arguments": {"contact_id": "x"}}, "get_contact was not called: contact_id must be"),
        ({"name": "get_contact", "arguments": {"contact_id": BOB}}, "There is no such record that you can reach."),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_a_wrong_call_is_told_in_one_sentence(world: World, arguments: dict[str, Json], sentence: str) -> None:
    said = await ask(world, "call_tool", **arguments)
    assert str(said).startswith(sentence)


async def test_what_is_switched_off_cannot_be_called_by_its_name(world: World) -> None:
    world.configure(config({"get_contact": True}))
    said = await ask(world, "call_tool", name="update_contact", arguments={"first_name": "Vi"})
    assert said == "There is no tool 'update_contact': take a name from list_tools."


async def test_what_is_revoked_while_the_turn_runs_is_refused(world: World) -> None:
    world.configure(config(), config({}))
    said = await ask(world, "call_tool", name="get_contact", arguments={})
    assert str(said).startswith("get_contact was not called: ")
