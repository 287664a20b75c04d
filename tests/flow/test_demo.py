"""The demo clinic: what a newcomer finds, what a script reads, and the clinic's own first errand."""

import json
from pathlib import Path
from typing import cast

import pytest

from frontdesk.channels.playground import PLAYGROUND
from frontdesk.core.clock import FakeClock
from frontdesk.core.database import Database
from frontdesk.core.door import Door
from frontdesk.core.settings import Settings
from frontdesk.core.vault import Vault
from frontdesk.demo.card import Card, make_card, read_card, write_card
from frontdesk.demo.organization import Demo, ensure_demo
from frontdesk.flow import Flow
from frontdesk.registry import make_registry
from frontdesk.resources.organization.api_keys import hash_key
from frontdesk.resources.organization.passwords import is_password
from tests.flow.harness import Desk, Models, Script, Toolbox, call

BASE = "http://127.0.0.1:8080"
LIVE_KEYS = "SELECT count(*) FROM api_keys WHERE key_hash = $1 AND deleted_at IS NULL"


@pytest.fixture
def door(database: Database) -> Door:
    return Door(database, make_registry(), FakeClock(), Vault("k" * 32))


@pytest.fixture
async def demo(door: Door) -> tuple[Demo, Card]:
    made, password = await ensure_demo(door)
    assert made is not None
    return made, await make_card(door, made, BASE, {}, password)


async def is_live(door: Door, card: Card) -> bool:
    async with door.database.system() as connection:
        return bool(await connection.fetchval(LIVE_KEYS, hash_key(str(card["api_key"]))))


async def test_the_card_holds_what_a_script_needs(door: Door, demo: tuple[Demo, Card]) -> None:
    made, card = demo
    login = cast("dict[str, str]", card["login"])
    assert set(card) == {
        "base_url", "api_key", "organization_id", "assistant_id", "contact_id", "chat_url", "login",
    }  # fmt: skip
    assert await is_live(door, card)
    assert str(card["chat_url"]).startswith(f"{BASE}/chat/wc_")
    async with door.database.system() as connection:
        stored = await connection.fetchval("SELECT password_hash FROM users WHERE email = $1", login["email"])
    assert is_password(stored, login["password"])
    assert made.organization_id == card["organization_id"]


async def test_the_next_start_keeps_the_key_and_the_password(door: Door, demo: tuple[Demo, Card]) -> None:
    made, card = demo
    again, password = await ensure_demo(door)
    assert (again, password) == (made, None)
    assert await make_card(door, made, BASE, card, None) == card


async def test_a_key_that_is_not_good_any_more_is_replaced_and_the_old_one_ends(
    door: Door, demo: tuple[Demo, Card]
) -> None:
    made, card = demo
    fresh = await make_card(door, made, BASE, {**card, "api_key": "fd_wrong"}, None)
    assert fresh["api_key"] != card["api_key"]
    assert await is_live(door, fresh)
    assert not await is_live(door, card)


async def test_a_database_that_is_in_use_gets_no_demo(door: Door) -> None:
    async with door.database.system() as connection:
        await connection.execute(
            """
            WITH o AS (INSERT INTO organizations (name, timezone, currency, subscription_status, created_at, updated_at)
                       VALUES ('In use', 'UTC', 'USD', 'active', now(), now()) RETURNING id),
                 u AS (INSERT INTO users (email, created_at, updated_at)
                       VALUES ('marta@example.com', now(), now()) RETURNING id)
            INSERT INTO members (organization_id, user_id, role, created_at, updated_at)
            SELECT o.id, u.id, 'owner', now(), now() FROM o, u
            """
        )
    assert await ensure_demo(door) == (None, None)


@pytest.mark.parametrize(("given", "wanted"), [(None, False), (True, True), (False, False)])
def test_an_external_database_gets_a_demo_only_when_asked(given: bool | None, wanted: bool) -> None:
    settings = Settings(DATABASE_URL="postgresql://db.example/x", demo=given)  # type: ignore[call-arg]
    assert settings.wants_demo is wanted


def test_the_file_is_for_its_owner_only_and_a_broken_one_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    write_card(path, {"api_key": "x"})
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_card(path) == json.loads(path.read_text()) == {"api_key": "x"}
    path.write_text("{broken")
    assert read_card(path) == {}


async def test_the_clinics_own_customer_changes_a_phone_number(door: Door, demo: tuple[Demo, Card]) -> None:
    made, card = demo
    contact_id = cast(int, card["contact_id"])
    script = Script()
    channels = {"playground": PLAYGROUND}
    flow = Flow(door, Models(script), Toolbox(), channels)
    desk = Desk(door.database, door, cast(FakeClock, door.clock), script, channels, flow, made.organization_id)
    script.say(call("find_contact"), call("update_contact", phone="+1 212 555 0188"), "Done, it is changed.")
    await desk.say(
        "Can you change my phone number to +1 212 555 0188?", conversation_id=None, contact_id=contact_id,
        ai_assistant_id=card["assistant_id"], is_contact_verified=True,
    )  # fmt: skip
    await desk.settle()
    contact = (await door.call(made.caller, "contacts", "get", id=contact_id)).value
    assert contact["phone"] == "+1 212 555 0188"
    assert contact["version"] == 2


async def test_two_tickets_show_what_a_ticket_is(door: Door, demo: tuple[Demo, Card]) -> None:
    made, card = demo
    page = (await door.call(made.caller, "support-tickets", "find", query={"$sort": {"id": 1}})).value
    tickets = cast("list[dict[str, object]]", page["data"])
    year = door.clock.now().year
    assert [row["reference_number"] for row in tickets] == [f"TK-{year}-001", f"TK-{year}-002"]
    assert [row["assigned_user_id"] for row in tickets] == [made.user_id, None]
    assert card["assistant_id"] == made.assistant_id
    assistant = await door.call(made.caller, "ai-assistants", "get", id=made.assistant_id)
    assert assistant.value["assistant_type"] == "conversation"


async def test_a_stranger_learns_nothing_of_ana_torres(door: Door, demo: tuple[Demo, Card]) -> None:
    made, card = demo
    script = Script()
    channels = {"playground": PLAYGROUND}
    flow = Flow(door, Models(script), Toolbox(), channels)
    desk = Desk(door.database, door, cast(FakeClock, door.clock), script, channels, flow, made.organization_id)
    script.say(
        call("find_contact", search="Ana Torres"), call("get_contact", contact_id=card["contact_id"]), "I cannot say."
    )  # fmt: skip
    await desk.say("What is Ana Torres's phone number?", conversation_id=None, ai_assistant_id=card["assistant_id"])
    await desk.settle()
    shown = str(script.requests)
    ana = (await door.call(made.caller, "contacts", "get", id=cast(int, card["contact_id"]))).value
    assert len(script.requests) == 3
    assert str(ana["phone"]) not in shown
    assert str(ana["email"]) not in shown


async def test_the_clinic_sells_to_a_school(door: Door, demo: tuple[Demo, Card]) -> None:
    made, _ = demo
    query = {"$sort": {"id": -1}, "$limit": 1}
    deal = cast("list[dict[str, object]]", (await door.call(made.caller, "deals", "find", query=query)).value["data"])[
        0
    ]
    assert cast("dict[str, object]", deal["company"])["name"] == "Harbor Street School"
    assert cast("dict[str, object]", deal["pipelineStage"])["name"] == "Proposal"
    assert (deal["products_total_without_tax"], deal["products_total_with_tax"]) == ("960.00", "972.00")
