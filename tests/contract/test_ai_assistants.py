"""The assistant's record through the door: merging, versions, secrets, references, guided mode."""

import json
from dataclasses import dataclass

import pytest

from frontdesk.core.caller import Caller, Role
from frontdesk.core.clock import FakeClock
from frontdesk.core.database import Database
from frontdesk.core.door import Answer, Door
from frontdesk.core.errors import BadRequest, Conflict, Forbidden, Invalid, Json, NotFound
from frontdesk.core.vault import SecretUnusable, Vault
from frontdesk.registry import make_registry

KEY = "sk-abcdefgh12345678"
MASK = "••••••••5678"
FIELD = "specific_openai_secret_key"
DEFAULT, OWN, ELSEWHERE, FOREIGN, KEYLESS = 1, 2, 3, 4, 5  # models
ADMIN = Caller(1, None, Role.admin, via="api_key")

ROWS = """
INSERT INTO organizations (id, name, timezone, currency, subscription_status, created_at, updated_at)
    OVERRIDING SYSTEM VALUE
    VALUES (1, 'Luna', 'UTC', 'USD', 'active', now(), now()), (2, 'Sol', 'UTC', 'USD', 'active', now(), now());
INSERT INTO ai_models (id, organization_id, name, provider, base_url, model, supports_images, supports_tools,
                       created_at, updated_at)
    OVERRIDING SYSTEM VALUE
    VALUES (1, NULL, 'Default', 'openai', NULL, 'gpt', false, true, now(), now()),
           (2, 1, 'Own', 'openai_compatible', 'https://models.example.com/v1', 'm', false, true, now(), now()),
           (3, 1, 'Elsewhere', 'openai_compatible', 'https://other.example.com/v1', 'm', false, true, now(), now()),
           (4, 2, 'Of Sol', 'openai_compatible', 'https://sol.example.com/v1', 'm', false, true, now(), now()),
           (5, 1, 'Own at the provider', 'openai', NULL, 'gpt', false, true, now(), now())
    ON CONFLICT (id) DO UPDATE SET provider = excluded.provider, model = excluded.model;
"""
VERSIONS = """
    SELECT version, changed_fields, snapshot::text AS snapshot FROM ai_assistant_versions
    WHERE ai_assistant_id = $1 ORDER BY version
"""


@dataclass
class House:
    """Luna's door, and what it answered last."""

    database: Database
    door: Door
    vault: Vault

    async def call(self, verb: str, id: int | None = None, *, caller: Caller = ADMIN, **more: object) -> Answer:
        return await self.door.call(caller, "ai-assistants", verb, id=id, **more)  # type: ignore[arg-type]

    async def create(self, **fields: object) -> dict[str, Json]:
        data = {"name": "Eva", "assistant_type": "conversation", "ai_model_id": OWN, "instructions": "Hi.", **fields}
        return (await self.call("create", data=data)).value

    async def patch(self, id: Json, **fields: object) -> dict[str, Json]:
        return (await self.call("patch", int(str(id)), data=fields)).value

    async def versions(self, id: Json) -> list[tuple[int, list[str]]]:
        async with self.database.system() as connection:
            return [(row[0], row[1]) for row in await connection.fetch(VERSIONS, id)]

    async def stored(self, id: Json) -> dict[str, object]:
        async with self.database.system() as connection:
            row = await connection.fetchrow("SELECT * FROM ai_assistants WHERE id = $1", id)
        assert row is not None
        return dict(row)


@pytest.fixture
async def house(database: Database) -> House:
    async with database.system() as connection:
        await connection.execute(ROWS)
    vault = Vault("k" * 40)
    return House(database, Door(database, make_registry(), FakeClock(), vault), vault)


def codes(record: dict[str, Json]) -> list[str]:
    warnings = record["warnings"]
    assert isinstance(warnings, list)
    return [str(warning["code"]) for warning in warnings if isinstance(warning, dict)]


async def test_a_new_assistant_reads_back_with_its_defaults(house: House) -> None:
    made = await house.create()
    read = (await house.call("get", made["id"])).value  # type: ignore[arg-type]
    assert made == {**read, "warnings": []}
    assert (read["version"], read["connection"], read["timezone"], read["easy_mode_config"]) == (
        1,
        "system",
        "UTC",
        None,
    )
    assert read["response_config"] == {"mode": "single", "max_messages": 3, "delay_seconds": {"min": 1, "max": 4}}
    assert not {"kept_instructions", "specific_key_sealed", "specific_key_origin"} & read.keys()


async def test_a_record_that_was_read_makes_a_duplicate(house: House) -> None:
    made = await house.create(internal_tools={"tools": {"get_product": True}}, is_easy_mode=True)
    read = (await house.call("get", made["id"])).value  # type: ignore[arg-type]
    copy = await house.create(**{**read, "name": "Eva 2"})
    assert copy["id"] != made["id"]
    different = {name for name in read if copy[name] != read[name]}
    assert different <= {"id", "name", "created_at", "updated_at"}


async def test_a_patch_replaces_what_it_names_and_keeps_the_rest(house: House) -> None:
    made = await house.create(response_config={"mode": "multi", "max_messages": 2})
    changed = await house.patch(made["id"], response_config={"mode": "multi"}, timezone="America/Bogota")
    assert changed["response_config"] == {"mode": "multi"}
    assert (changed["timezone"], changed["instructions"], changed["version"]) == ("America/Bogota", "Hi.", 2)


async def test_null_is_the_default(house: House) -> None:
    made = await house.create(response_config={"mode": "multi"}, timezone="America/Bogota")
    changed = await house.patch(made["id"], response_config=None, timezone=None, instructions=None)
    assert (changed["response_config"]["mode"], changed["timezone"], changed["instructions"]) == ("single", "UTC", "")
    assert codes(changed) == ["instructions_empty"]


WRONG = [
    ({"follow_up_config": {"rules": 1}}, "follow_up_config.rules"),
    ({"colour": "red"}, "colour"),
    ({"name": None}, "name"),
    ({"name": ""}, "name"),
    ({"assistant_type": "voice"}, "assistant_type"),
    ({"ai_model_id": 99}, "ai_model_id"),
    ({"ai_model_id": FOREIGN}, "ai_model_id"),
    ({"ai_model_id": KEYLESS}, "connection"),
    ({"ai_model_id": "1"}, "ai_model_id"),
    ({"connection": "mine"}, "connection"),
    ({"timezone": "Bogota"}, "timezone"),
    ({"instructions": "x" * 100_001}, "instructions"),
    ({"instructions": "a\x00"}, "instructions"),
    ({"instructions_language": "FRA"}, "instructions_language"),
    ({"is_easy_mode": "yes"}, "is_easy_mode"),
    ({"access_permissions_contact": "write"}, "access_permissions_contact"),
    ({"internal_tools": {"tools": {"fly": True}}}, "internal_tools.tools.fly"),
    ({"schedule_config": {"weekly": [{"days": ["mon"], "from": "9", "to": "10:00"}]}}, "schedule_config.weekly.0.from"),
    ({"advanced_options": {"temperature": 3}}, "advanced_options.temperature"),
    ({FIELD: MASK}, FIELD),
    ({FIELD: "sk-secret\nsecret"}, FIELD),
    ({FIELD: "sk-secrét"}, FIELD),
]


@pytest.mark.parametrize(("data", "path"), WRONG)
async def test_a_wrong_field_is_named_and_nothing_is_written(house: House, data: dict[str, Json], path: str) -> None:
    made = await house.create()
    with pytest.raises(BadRequest) as refused:
        await house.patch(made["id"], **data)
    assert path in refused.value.errors
    assert await house.versions(made["id"]) == [(1, (await house.versions(made["id"]))[0][1])]


async def test_every_change_is_one_version_and_no_change_is_none(house: House) -> None:
    made = await house.create()
    await house.patch(made["id"], name="Ana", disable_reply=True)
    same = await house.patch(made["id"], name="Ana", assistant_type="conversation", created_at="2020-01-01")
    assert same["version"] == 2
    assert (await house.versions(made["id"]))[1:] == [(2, ["disable_reply", "name"])]


async def test_a_stale_version_is_told_what_changed(house: House) -> None:
    made = await house.create()
    await house.patch(made["id"], name="Ana")
    with pytest.raises(Conflict) as refused:
        await house.call("patch", made["id"], data={"timezone": "UTC"}, if_match=1)  # type: ignore[arg-type]
    assert refused.value.data == {
        "version": 2, "expected": 1, "changed_fields": ["name"], "changes": {"name": {"old": "Eva", "new": "Ana"}},
    }  # fmt: skip
    done = await house.call("patch", made["id"], data={"name": "Eva"}, if_match=2)  # type: ignore[arg-type]
    assert done.version == 3


async def test_a_snapshot_is_whole_and_holds_no_secret(house: House) -> None:
    made = await house.create(connection="specific", **{FIELD: KEY})
    async with house.database.system() as connection:
        rows = await connection.fetch(VERSIONS, made["id"])
    snapshot = json.loads(rows[0]["snapshot"])
    assert (snapshot["name"], snapshot["instructions"], snapshot[FIELD]) == ("Eva", "Hi.", MASK)
    assert not {"specific_key_sealed", "specific_key_origin"} & snapshot.keys()
    assert FIELD in rows[0]["changed_fields"]


async def test_a_key_is_sealed_for_its_model_and_read_as_a_mask(house: House) -> None:
    made = await house.create(connection="specific", **{FIELD: KEY})
    row = await house.stored(made["id"])
    assert KEY not in str(made) + str(row)
    assert made[FIELD] == MASK
    assert house.vault.open(str(row["specific_key_sealed"]), "https://models.example.com:443") == KEY
    with pytest.raises(SecretUnusable):
        house.vault.open(str(row["specific_key_sealed"]), "https://other.example.com:443")


async def test_the_mask_sent_back_keeps_the_key(house: House) -> None:
    made = await house.create(connection="specific", **{FIELD: KEY})
    sealed = (await house.stored(made["id"]))["specific_key_sealed"]
    kept = await house.patch(made["id"], name="Ana", **{FIELD: MASK})
    assert kept[FIELD] == MASK
    assert (await house.stored(made["id"]))["specific_key_sealed"] == sealed


async def test_a_key_does_not_move_to_another_address(house: House) -> None:
    made = await house.create(connection="specific", **{FIELD: KEY})
    with pytest.raises(Invalid, match="validation failed") as refused:
        await house.patch(made["id"], ai_model_id=ELSEWHERE, **{FIELD: MASK})
    assert "enter it again" in refused.value.errors[FIELD]
    moved = await house.patch(made["id"], ai_model_id=ELSEWHERE)
    assert codes(moved) == ["secret_elsewhere"]
    new = await house.patch(made["id"], ai_model_id=ELSEWHERE, **{FIELD: KEY})
    assert codes(new) == []
    assert (await house.stored(made["id"]))["specific_key_origin"] == "https://other.example.com:443"


async def test_a_mask_in_a_post_is_no_key(house: House) -> None:
    made = await house.create(**{FIELD: MASK})
    assert (made[FIELD], codes(made)) == (None, ["secret_missing"])


async def test_a_key_can_be_taken_away(house: House) -> None:
    made = await house.create(connection="specific", **{FIELD: KEY})
    gone = await house.patch(made["id"], **{FIELD: None})
    assert (gone[FIELD], codes(gone)) == (None, ["secret_missing"])
    assert (await house.stored(made["id"]))["specific_key_sealed"] is None


async def test_guided_mode_writes_the_instructions_and_advanced_mode_brings_the_others_back(house: House) -> None:
    made = await house.create(instructions="Mine.")
    guided = await house.patch(made["id"], is_easy_mode=True, easy_mode_config={"business_name": "Luna Dental"})
    assert "Luna Dental" in str(guided["instructions"])
    advanced = await house.patch(made["id"], is_easy_mode=False)
    assert (advanced["instructions"], advanced["easy_mode_config"]) == ("Mine.", None)
    again = await house.patch(made["id"], is_easy_mode=True)
    assert (again["instructions"], again["easy_mode_config"]) == (guided["instructions"], guided["easy_mode_config"])
    assert [version for version, _ in await house.versions(made["id"])] == [1, 2, 3, 4]


async def test_a_new_guided_assistant_needs_no_text(house: House) -> None:
    data = {"name": "Eva", "assistant_type": "conversation", "ai_model_id": OWN, "is_easy_mode": True,
            "easy_mode_config": {"business_name": "Luna"}, "instructions_language": "ESP"}  # fmt: skip
    made = (await house.call("create", data=data)).value
    assert "Trabajas" not in str(made["instructions"])
    assert "Eres el asistente de Luna" in str(made["instructions"])


async def test_contradictions_are_saved_with_warnings(house: House) -> None:
    tools = {"find_contact": True, "create_invoice": {"enabled": True}, "get_product": True}
    made = await house.create(internal_tools={"tools": tools})
    assert codes(made) == ["tool_without_access", "tool_not_available"]
    assert made["internal_tools"] == {"tools": tools}


async def test_a_deleted_assistant_is_gone_but_can_be_listed(house: House) -> None:
    made = await house.create()
    gone = (await house.call("remove", made["id"])).value  # type: ignore[arg-type]
    assert gone["deleted_at"]
    with pytest.raises(NotFound):
        await house.call("get", made["id"])  # type: ignore[arg-type]
    assert (await house.call("find")).value["total"] == 0
    listed = await house.call("find", query={"deleted_at": {"$ne": None}})
    assert listed.value["total"] == 1
    assert (await house.versions(made["id"]))[-1] == (2, ["deleted_at"])


async def test_the_list_is_filtered(house: House) -> None:
    eva = await house.create()
    await house.create(name="Chat", assistant_type="ai-chat")
    await house.create(name="Ana")

    async def names(**query: object) -> list[str]:
        rows = (await house.call("find", query={"$sort": {"name": 1}, **query})).value["data"]
        assert isinstance(rows, list)
        return [row["name"] for row in rows]  # type: ignore[index,call-overload,misc]

    assert await names(assistant_type="conversation") == ["Ana", "Eva"]
    assert await names(id={"$ne": eva["id"]}) == ["Ana", "Chat"]
    assert await names(deleted_at=None) == ["Ana", "Chat", "Eva"]
    assert (await house.call("find", query={"$limit": 0})).value == {"total": 3, "limit": 0, "skip": 0, "data": []}


async def test_members_read_and_admins_write(house: House) -> None:
    made = await house.create()
    member = Caller(1, None, Role.member)
    assert (await house.call("get", made["id"], caller=member)).value["name"] == "Eva"  # type: ignore[arg-type]
    with pytest.raises(Forbidden):
        await house.call("patch", made["id"], caller=member, data={"name": "x"})  # type: ignore[arg-type]


async def test_another_organizations_assistant_does_not_exist(house: House) -> None:
    made = await house.create()
    for verb in ("get", "patch", "remove"):
        with pytest.raises(NotFound):
            await house.call(verb, made["id"], caller=Caller(2, None, Role.owner), data={"name": "x"})  # type: ignore[arg-type]
