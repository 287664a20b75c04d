"""Fallback models in an assistant's record: references, their paths, warnings, restore, file."""

from dataclasses import dataclass

import pytest

from frontdesk.core.caller import Caller, Role
from frontdesk.core.clock import FakeClock
from frontdesk.core.database import Database
from frontdesk.core.door import Door
from frontdesk.core.errors import BadRequest, Conflict, Invalid, Json
from frontdesk.core.vault import Vault
from frontdesk.registry import make_registry
from frontdesk.resources.assistants.portable import Desk, apply, checked, export

LUNA, SOL = Caller(1, None, Role.owner), Caller(2, None, Role.owner)
ROWS = """
    INSERT INTO organizations (id, name, timezone, currency, subscription_status, created_at, updated_at)
    OVERRIDING SYSTEM VALUE VALUES (1, 'Luna', 'UTC', 'USD', 'active', now(), now()),
                                   (2, 'Sol', 'UTC', 'USD', 'active', now(), now())
"""
PATH = "advanced_options.fallback_ai_model_ids"


@dataclass
class House:
    door: Door
    assistant: int = 0

    async def call(self, path: str, verb: str, caller: Caller = LUNA, id: int | None = None, **data: object) -> dict:
        return (await self.door.call(caller, path, verb, id=id, data=data or None)).value  # type: ignore[arg-type]

    async def model(self, name: str, caller: Caller = LUNA, **more: object) -> int:
        data = {"provider": "scripted", "model": "echo", **more}
        return int((await self.call("ai-models", "create", caller, name=name, **data))["id"])

    async def fall_back_to(self, *ids: Json, **more: object) -> dict[str, Json]:
        options = {"fallback_ai_model_ids": list(ids)}
        return await self.call("ai-assistants", "patch", id=self.assistant, advanced_options=options, **more)

    async def faults(self, *ids: Json, **more: object) -> dict[str, str]:
        with pytest.raises(Invalid) as caught:
            await self.fall_back_to(*ids, **more)
        return caught.value.errors


@pytest.fixture
async def house(database: Database) -> House:
    async with database.system() as connection:
        await connection.execute(ROWS)
    house = House(Door(database, make_registry(), FakeClock(), Vault("k" * 40)))
    own = await house.model("Own")
    made = await house.call(
        "ai-assistants", "create", name="Eva", assistant_type="conversation", ai_model_id=own, instructions="Be kind."
    )
    house.assistant = int(made["id"])
    return house


def codes(record: dict[str, Json]) -> list[tuple[str, str]]:
    return [(warning["field"], warning["code"]) for warning in record["warnings"]]  # type: ignore[union-attr,index,call-overload]


async def test_fallbacks_are_kept_in_their_order(house: House) -> None:
    second, third = await house.model("Second"), await house.model("Third")
    changed = await house.fall_back_to(third, second)
    assert changed["advanced_options"]["fallback_ai_model_ids"] == [third, second]  # type: ignore[index,call-overload]
    assert changed["warnings"] == []


async def test_each_wrong_reference_is_named_by_its_place(house: House) -> None:
    second, theirs = await house.model("Second"), await house.model("Theirs", SOL)
    own = (await house.call("ai-assistants", "get", id=house.assistant))["ai_model_id"]
    assert await house.faults(second, second) == {f"{PATH}.1": "names the same model again"}
    assert await house.faults(second, own) == {f"{PATH}.1": "is the assistant's own model"}
    assert await house.faults(second, theirs, 2**40) == {f"{PATH}.{i}": "names no model that exists" for i in (1, 2)}


async def test_a_deleted_model_is_refused_when_it_is_named_anew(house: House) -> None:
    gone = await house.model("Gone")
    await house.call("ai-models", "remove", id=gone)
    assert await house.faults(gone) == {f"{PATH}.0": "names a model that was deleted"}


async def test_a_fallback_that_was_deleted_since_is_told_and_may_stay(house: House) -> None:
    gone = await house.model("Gone")
    await house.fall_back_to(gone)
    await house.call("ai-models", "remove", id=gone)
    assert codes(await house.fall_back_to(gone, timezone="America/Bogota")) == [(f"{PATH}.0", "fallback_deleted")]


async def test_a_fallback_cannot_become_the_own_model(house: House) -> None:
    second = await house.model("Second")
    await house.fall_back_to(second)
    with pytest.raises(Invalid) as caught:
        await house.call("ai-assistants", "patch", id=house.assistant, ai_model_id=second)
    assert list(caught.value.errors) == ["ai_model_id"]


async def test_a_fallback_without_a_key_is_told(house: House) -> None:
    claude = await house.model("Claude", provider="anthropic", model="claude-haiku-5-5")
    assert codes(await house.fall_back_to(claude)) == [(f"{PATH}.0", "fallback_without_key")]
    await house.call("ai-provider-keys", "create", provider="anthropic", key="sk-ant-1")
    changed = await house.fall_back_to(claude, connection="organization")
    assert changed["warnings"] == []


async def test_tools_that_no_model_can_use_are_told(house: House) -> None:
    plain = await house.model("Plain", supports_tools=False)
    tools = {"tools": {"get_product": True}}
    assert codes(await house.fall_back_to(plain, internal_tools=tools)) == [(f"{PATH}.0", "fallback_without_tools")]
    changed = await house.fall_back_to(ai_model_id=plain)
    assert codes(changed) == [("ai_model_id", "model_without_tools")]


async def test_an_option_that_the_model_does_not_take_is_told(house: House) -> None:
    opus = await house.model("Opus", provider="anthropic", model="claude-opus-5-5")
    options = {"temperature": 0.2, "max_output_tokens": 500}
    changed = await house.call(
        "ai-assistants", "patch", id=house.assistant, ai_model_id=opus, connection="organization",
        advanced_options=options,
    )  # fmt: skip
    assert codes(changed) == [("advanced_options.temperature", "option_not_sent"), ("connection", "key_missing")]


async def test_a_restore_leaves_out_what_is_gone(house: House) -> None:
    gone, stays = await house.model("Gone"), await house.model("Stays")
    await house.fall_back_to(gone, stays)
    history = await house.door.call(LUNA, "ai-assistants-change-history", "find", query={"$sort": {"id": -1}})
    await house.fall_back_to()
    await house.call("ai-models", "remove", id=gone)
    entry = history.value["data"][0]["id"]  # type: ignore[index,call-overload]
    restored = await house.call("ai-assistants-restore-from-changes-history", "create", change_history_id=entry)
    assert restored["advanced_options"]["fallback_ai_model_ids"] == [stays]
    assert (PATH, "model_deleted") in codes(restored)


async def test_a_file_names_fallbacks_by_name(house: House) -> None:
    gone, stays = await house.model("Gone"), await house.model("Stays")
    await house.fall_back_to(gone, stays)
    await house.call("ai-models", "remove", id=gone)
    async with house.door.database.transaction(1) as connection:
        desk = Desk(house.door, connection, 1)
        document, left_out = await export(desk, house.assistant)
        options = document["assistant"]["advanced_options"]  # type: ignore[index,call-overload]
        assert options["fallback_ai_model_names"] == ["Stays"]  # type: ignore[index,call-overload]
        assert len(left_out) == 1
        assert await apply(desk, checked(document)) == house.assistant
    record = await house.call("ai-assistants", "get", id=house.assistant)
    assert record["advanced_options"]["fallback_ai_model_ids"] == [stays]


async def test_a_model_in_use_is_not_deleted(house: House) -> None:
    own = (await house.call("ai-assistants", "get", id=house.assistant))["ai_model_id"]
    with pytest.raises(Conflict):
        await house.call("ai-models", "remove", id=own)
    await house.call("ai-assistants", "remove", id=house.assistant)
    await house.call("ai-models", "remove", id=own)


async def test_a_model_says_with_which_connection_it_can_be_used(house: House) -> None:
    claude = await house.model("Claude", provider="anthropic", model="claude-haiku-5-5")
    server = await house.model("Server", provider="openai_compatible", base_url="https://models.example.com/v1")
    for id, connections in ((claude, ["organization", "specific"]), (server, ["system", "organization", "specific"])):
        assert (await house.call("ai-models", "get", id=id))["connections"] == connections


@pytest.mark.parametrize(
    ("connection", "names"),
    [
        ("system", ["Installation default", "Own", "Server"]),
        ("organization", ["Claude", "Installation default", "Own", "Server"]),
    ],
)
async def test_a_list_holds_the_models_that_a_connection_can_use(
    house: House, connection: str, names: list[str]
) -> None:
    await house.model("Claude", provider="anthropic", model="claude-haiku-5-5")
    await house.model("Server", provider="openai_compatible", base_url="https://models.example.com/v1")
    query = {"connection": connection, "$sort": {"name": 1}}
    found = (await house.door.call(LUNA, "ai-models", "find", query=query)).value["data"]
    assert [row["name"] for row in found] == names  # type: ignore[union-attr,index,call-overload]


async def test_a_connection_that_there_is_not_is_refused(house: House) -> None:
    with pytest.raises(BadRequest) as caught:
        await house.door.call(LUNA, "ai-models", "find", query={"connection": "mine"})
    assert list(caught.value.errors) == ["connection"]
