"""Every tool × switch × access × assistant type: what is offered, what runs and what the permission says agree."""

import itertools

import pytest

from frontdesk.assistants.config import ACCESS, ASSISTANT_TYPES
from frontdesk.assistants.permissions import permission
from frontdesk.assistants.tool_keys import BUILT, READING, TOOL_KEYS
from frontdesk.core.database import Database
from frontdesk.core.errors import Json
from frontdesk.tools.table import TOOLS
from tests.tools_world import BOB, VISITOR, World, config, make_world

# Arguments with which each tool has something to do, on a row that only scope `organization` reaches.
ELSEWHERE: dict[str, dict[str, Json]] = {
    "find_contact": {"search": "bob"},
    "get_contact": {"contact_id": BOB},
    "create_contact": {"first_name": "Eva"},
    "update_contact": {"contact_id": BOB, "last_name": "Mill"},
    "add_note": {"contact_id": BOB, "text": "x"},
    "update_note": {"note_id": 3, "text": "x"},
    "get_notes": {"contact_id": BOB},
    "get_product": {"product_id": 2},
    "search_products": {"search": "secret"},
    "find_company": {"search": "mills"},
    "get_company": {"company_id": 2},
    "create_company": {"name": "Eva Ltd"},
    "update_company": {"company_id": 2, "industry": "Food"},
    "find_deals": {"search": "bread"},
    "get_deal": {"deal_id": 2},
    "create_deal": {"name": "Crown"},
    "update_deal": {"deal_id": 2, "status": "won"},
    "add_deal_products": {"deal_id": 2, "lines": [{"product_id": 1, "quantity": 2, "price": 60}]},
    "get_pipelines": {},
    "get_currencies": {},
    "get_custom_fields": {"entity": "contact"},
    "find_organization_members": {"search": "marta"},
    "get_activities": {"contact_id": BOB},
    "create_activity": {"subject": "Call back", "activity_type": "call", "start_date": "2026-01-07"},
    "update_activity": {"activity_id": 2, "done": True},
    "find_conversations": {"contact_id": BOB},
    "get_conversation": {"conversation_id": 11},
    "send_conversation_message": {"conversation_id": 11, "message_text": "Fresh bread!"},
    "find_whatsapp_template": {"search": "reminder"},
    "send_whatsapp_template": {"conversation_id": 11, "template_id": 1, "values": {"1": "Bob"}},
    "initiate_whatsapp_conversation": {"contact_id": BOB, "template_id": 1, "values": {"1": "Bob"}},
    "get_email_broadcast_senders": {},
    "send_email_broadcast": {"sender_id": 1, "subject": "News", "body": "Bread.", "contact_ids": [BOB]},
}
# What anybody may do here: the lists of the organization's set-up, and a new row of one's own.
OPEN = {
    "create_contact", "create_company", "create_deal", "create_activity", "get_pipelines", "get_currencies",
    "get_custom_fields",
}  # fmt: skip
SWITCHES: list[tuple[bool, str, str]] = list(
    itertools.product((True, False), ("never", "always"), ("own", "organization"))
)


@pytest.fixture
async def world(database: Database) -> World:
    return await make_world(database)


def test_the_table_holds_the_keys_that_are_built() -> None:
    assert set(TOOLS) == BUILT == set(ELSEWHERE)


def reached(result: Json) -> bool:
    return isinstance(result, dict) and result.get("total") != 0


@pytest.mark.parametrize("name", sorted(TOOLS))
async def test_offer_run_and_permission_agree(world: World, name: str) -> None:
    for access, kind in itertools.product(ACCESS, ASSISTANT_TYPES):
        for enabled, approval, scope in SWITCHES:
            switch = {name: {"enabled": enabled, "approval": approval, "scope": scope}}
            world.configure(config(switch, access_contact=access, access_deals=access, assistant_type=kind))
            ruling = permission(world.deps.config, name)
            world.turn.calls.clear()
            world.turn.records.clear()
            result = await world.use(name, **ELSEWHERE[name])
            where = (access, kind, switch, result)
            assert (await world.offered() == {name}) is ruling.is_allowed, where
            assert (world.turn.records[0].status != "refused") is ruling.is_allowed, where
            assert reached(result) is (ruling.is_allowed and (scope == "organization" or name in OPEN)), where


@pytest.mark.parametrize("kind", ASSISTANT_TYPES)
async def test_without_a_scope_only_the_internal_chat_reaches_everybody(world: World, kind: str) -> None:
    world.configure(config({"get_contact": True}, assistant_type=kind))
    assert reached(await world.use("get_contact", contact_id=BOB)) is (kind == "ai-chat")


@pytest.mark.parametrize("name", sorted(TOOLS))
async def test_what_is_revoked_while_the_turn_runs_is_refused(world: World, name: str) -> None:
    key = TOOL_KEYS[name]
    now = {
        "switched off": config({}),
        "deleted": config(deleted_at=world.deps.clock.now()),
    }
    if key.entity:
        now["no access"] = config(**{f"access_{key.entity}": "none"})
    if key.entity and key.verb not in READING:
        now["read only"] = config(**{f"access_{key.entity}": "read"})
    for why, record in now.items():
        world.configure(config(), record)
        world.turn.calls.clear()
        world.turn.records.clear()
        result = await world.use(name, **ELSEWHERE[name])
        assert isinstance(result, str), why
        assert result.startswith(f"{name} was not called: "), why
        assert world.turn.records[-1].status == "refused", why
    assert world.turn.effects == 0


@pytest.mark.parametrize("name", sorted(TOOLS))
async def test_what_needs_an_approval_now_waits_for_it(world: World, name: str) -> None:
    world.turn.is_approved = False
    world.configure(config(), config({name: {"enabled": True, "approval": "always"}}))
    assert await world.use(name, **ELSEWHERE[name]) is None
    assert (world.turn.waiting, world.turn.records, world.turn.effects) == (["call-0"], [], 0)


async def test_a_blocked_contact_ends_all_tools(world: World) -> None:
    view = world.turn.view
    world.turn.view = type(view)(view.config, True, VISITOR, False)
    assert await world.use("search_products") == "search_products was not called: the contact is blocked."


async def test_changes_stand_alone_and_start_the_effects(world: World) -> None:
    tools = await world.toolset.get_tools(world.context())
    assert {name for name, tool in tools.items() if tool.tool_def.sequential} == {
        name for name, key in TOOL_KEYS.items() if name in TOOLS and key.verb not in READING
    }  # fmt: skip
    await world.use("get_contact")
    assert world.turn.effects == 0
    await world.use("update_contact", first_name="Vi")
    assert world.turn.effects == 1


WRONG: list[tuple[str, dict[str, Json], str]] = [
    ("get_contact", {"contact_id": "ana"}, "get_contact was not called: contact_id must be a whole number."),
    ("get_contact", {"organization_id": 2}, "get_contact was not called: organization_id is not a parameter."),
    ("create_contact", {}, "create_contact was not called: first_name is required."),
    ("find_contact", {"search": 7}, "find_contact was not called: search must be a text."),
    ("update_contact", {"email": "nonsense"}, "Nothing was done: email must be an e-mail address ("),
    ("update_contact", {}, "Say what changes"),
    ("update_contact", {"phone": "call me"}, "Nothing was done: phone must be a phone number (4 to 15 digits)."),
    ("add_note", {"text": "a\x00b"}, "Nothing was done: text must not contain control characters."),
    ("add_note", {"text": "a\ud800"}, "add_note was not called: text input should be a valid string"),
    ("add_note", {"text": ""}, "add_note was not called: text string should have at least 1 character"),
    ("search_products", {"type": "goods"}, "search_products was not called: type input should be 'service' or"),
    ("search_products", {"limit": 51}, "search_products was not called: limit input should be less than"),
    ("search_products", {"search": "a\ud800"}, "Nothing was done: 'searchTerm' must be valid Unicode"),
    ("search_products", {"search": "x" * 300}, "Nothing was done: "),
]


@pytest.mark.parametrize(("name", "arguments", "sentence"), WRONG)
async def test_a_wrong_argument_comes_back_as_one_sentence(
    world: World, name: str, arguments: dict[str, Json], sentence: str
) -> None:
    result = await world.use(name, **arguments)
    assert isinstance(result, str)
    assert result.startswith(sentence), result
    assert world.turn.records[-1].status == "failed"


async def test_an_empty_text_empties_a_field(world: World) -> None:
    assert await world.use("update_contact", phone="") == {"id": VISITOR, "first_name": "Visitor"}


@pytest.mark.parametrize(
    ("search", "total"), [("marta", 1), ("RUIZ", 1), ("marta ruíz", 1), ("@example", 1), ("eva", 0)]
)
async def test_people_are_found_by_name_and_address(world: World, search: str, total: int) -> None:
    world.configure(config({"find_organization_members": {"enabled": True, "scope": "organization"}}))
    found = await world.use("find_organization_members", search=search)
    assert isinstance(found, dict)
    assert found["total"] == total
