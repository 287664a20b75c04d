"""Signing in to an MCP server at a real authorization server: begun over the API, ended by a browser."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from frontdesk.core.caller import Role
from frontdesk.core.clock import FakeClock
from frontdesk.core.egress import Guard
from frontdesk.core.errors import Json
from frontdesk.core.mail import Mail
from tests.mcp_guarded_shop import SECRET, GuardedShop, guarded_shop
from tests.world import OURS, THEIRS, World

PATH, CALLBACK = "/mcp-sign-ins", "/mcp-oauth/callback"
PUBLIC = "http://desk.example.com"


@pytest.fixture
def open_world(world: World) -> Iterator[World]:
    """The operator allows this machine, as FRONTDESK_EGRESS_ALLOW does, and says where the installation is."""
    door = world.app.app.state.door  # type: ignore[attr-defined]
    kept = door.guard, door.mail, door.clock
    door.guard, door.mail = Guard.of(["127.0.0.1"]), Mail(PUBLIC)
    yield world
    door.guard, door.mail, door.clock = kept


@pytest.fixture
async def shop() -> AsyncIterator[GuardedShop]:
    async with guarded_shop() as running:
        yield running


@dataclass
class Page:
    """The settings of one assistant that has the shop, and its owner's browser."""

    client: httpx.AsyncClient
    shop: GuardedShop
    id: int

    async def save(self, **config: Json) -> dict[str, Any]:
        entry: dict[str, Json] = {
            "id": "shop", "name": "Shop", "url": self.shop.url, "authentication_type": "oauth2",
            "tools": [{"name": "search"}],
        }  # fmt: skip
        answer = await self.client.patch(
            f"/ai-assistants/{self.id}", json={"mcp_tools": [{**entry, "oauth2_config": config or None}]}
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def begin(self) -> dict[str, Any]:
        answer = await self.client.post(PATH, json={"ai_assistant_id": self.id, "mcp_tool_id": "shop"})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def come_back(self, **query: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=self.client._transport, base_url="http://test") as browser:
            return await browser.get(CALLBACK, params=query)

    async def sign_in(self) -> httpx.Response:
        begun = await self.begin()
        assert begun["success"], begun
        return await self.come_back(**await self.shop.visit(begun["authorization_url"]))

    async def config(self) -> dict[str, Any]:
        record = (await self.client.get(f"/ai-assistants/{self.id}")).json()
        return dict(record["mcp_tools"][0]["oauth2_config"] or {})

    async def tried(self) -> dict[str, Any]:
        body = {"ai_assistant_id": self.id, "mcp_tool_id": "shop"}
        return dict((await self.client.post("/mcp-tool-connection-proxy", json=body)).json())


@pytest.fixture
async def page(open_world: World, shop: GuardedShop) -> Page:
    page = Page(open_world.client(Role.admin), shop, await open_world.row("ai-assistants"))
    await page.save()
    return page


async def test_a_person_signs_in_and_the_tools_are_there(page: Page) -> None:
    assert (await page.tried())["error"]["code"] == "sign_in_needed"
    answer = await page.sign_in()
    assert (answer.status_code, "may use Shop now" in answer.text) == (200, True), answer.text
    config = await page.config()
    assert config["status"] == "signed_in"
    assert config["scopes"] == ["shop:read"]
    assert config["token_url"] == page.shop.url.replace("/mcp", "/token")
    assert config["access_token"].startswith("••••••••")
    assert [tool["name"] for tool in (await page.tried())["tools"]] == ["search"]


async def test_what_is_asked_of_the_authorization_server(page: Page) -> None:
    begun = await page.begin()
    await page.shop.visit(begun["authorization_url"])
    asked, client = page.shop.login.asked[0], next(iter(page.shop.login.clients.values()))
    assert (asked.resource, asked.scopes) == (page.shop.url, ["shop:read"])
    assert (str(asked.redirect_uri), len(asked.code_challenge)) == (f"{PUBLIC}{CALLBACK}", 43)
    assert (client.client_name, client.application_type) == ("Frontdesk", "web")
    assert begun["scopes"] == ["shop:read"]


async def test_a_sign_in_is_a_change_of_the_assistant_by_its_person(page: Page) -> None:
    before = (await page.client.get(f"/ai-assistants/{page.id}")).json()["version"]
    await page.sign_in()
    path = f"/ai-assistants-change-history?ai_assistant_id={page.id}&$sort[id]=-1"
    entry = (await page.client.get(path)).json()["data"][0]
    assert (entry["version"], entry["changed_fields"]) == (before + 1, ["mcp_tools"])
    assert entry["created_by_user_id"] is not None


async def test_a_state_works_once(page: Page) -> None:
    back = await page.shop.visit((await page.begin())["authorization_url"])
    assert (await page.come_back(**back)).status_code == 200
    version = (await page.client.get(f"/ai-assistants/{page.id}")).json()["version"]
    again = await page.come_back(**back)
    assert (again.status_code, "not known any more" in again.text) == (400, True)
    assert (await page.client.get(f"/ai-assistants/{page.id}")).json()["version"] == version


async def test_a_state_works_for_ten_minutes(page: Page, open_world: World) -> None:
    door = open_world.app.app.state.door  # type: ignore[attr-defined]
    door.clock = FakeClock()
    back = await page.shop.visit((await page.begin())["authorization_url"])
    await door.clock.advance(601)
    assert "not known any more" in (await page.come_back(**back)).text
    assert page.shop.login.good == {}


@pytest.mark.parametrize(("change", "said"), [
    ({"state": "other"}, "not known any more"), ({"iss": "https://evil.example"}, "iss mismatch"),
    ({"iss": None}, "may use Shop"), ({"code": "other"}, "did not finish"), ({"code": None}, "let you in"),
    ({"state": None}, "not known any more"),
], ids=["state", "iss", "no iss", "code", "denied", "no state"])  # fmt: skip
async def test_what_comes_back_is_checked(page: Page, change: dict[str, str | None], said: str) -> None:
    back = {**await page.shop.visit((await page.begin())["authorization_url"]), **change}
    answer = await page.come_back(**{name: value for name, value in back.items() if value is not None})
    assert said in answer.text
    assert ((await page.config()).get("status") is not None) == (answer.status_code == 200)


async def test_whoever_lost_their_right_meanwhile_connects_nothing(page: Page, open_world: World) -> None:
    back = await page.shop.visit((await page.begin())["authorization_url"])
    async with open_world.database.system() as connection:
        await connection.execute("UPDATE members SET role = 'member' WHERE organization_id = $1", OURS)
    assert "may not change assistants" in (await page.come_back(**back)).text
    assert page.shop.login.good == {}


async def test_a_server_that_moved_meanwhile_gets_no_token(page: Page) -> None:
    back = await page.shop.visit((await page.begin())["authorization_url"])
    moved: Json = {"id": "shop", "name": "Shop", "url": "https://evil.example/mcp", "authentication_type": "oauth2"}
    await page.client.patch(f"/ai-assistants/{page.id}", json={"mcp_tools": [moved]})
    assert "changed in the assistant" in (await page.come_back(**back)).text
    assert await page.config() == {}


async def test_a_kept_mask_keeps_the_tokens_and_a_new_sign_in_replaces_them(page: Page) -> None:
    await page.sign_in()
    record = (await page.client.get(f"/ai-assistants/{page.id}")).json()
    config = record["mcp_tools"][0]["oauth2_config"]
    config |= {"expires_at": "2020-01-01T00:00:00Z", "status": "sign_in_again", "access_token": "••••••••old1"}
    kept = await page.client.patch(f"/ai-assistants/{page.id}", json={"mcp_tools": record["mcp_tools"]})
    assert kept.json()["version"] == record["version"]
    assert (await page.tried())["success"] is True
    await page.sign_in()
    assert len(page.shop.login.clients) == 1
    assert (await page.tried())["success"] is True


async def test_a_client_that_a_person_entered_is_used(page: Page) -> None:
    begun = await page.begin()
    await page.shop.visit(begun["authorization_url"])
    known = next(iter(page.shop.login.clients.values()))
    await page.save(client_id=known.client_id, client_secret=known.client_secret)
    await page.sign_in()
    assert len(page.shop.login.clients) == 1
    assert (await page.config())["issuer"] is None


async def test_a_client_secret_goes_nowhere_but_where_it_was_entered_for(page: Page) -> None:
    await page.save(client_id="me", client_secret=f"{SECRET}mine", token_url="https://login.example.com/token")
    error = (await page.begin())["error"]
    assert (error["code"], "enter token_url" in error["message"]) == ("token_url_differs", True)
    assert page.shop.login.asked == []


async def test_secrets_are_nowhere(page: Page, open_world: World) -> None:
    begun = await page.begin()
    shown = [json.dumps(begun), (await page.come_back(**await page.shop.visit(begun["authorization_url"]))).text]
    shown += [(await page.client.get(path)).text for path in ("/ai-assistants", "/ai-assistants-change-history")]
    async with open_world.database.system() as connection:
        for (table,) in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
            shown += [row[0] for row in await connection.fetch(f'SELECT to_jsonb(t)::text FROM "{table}" t')]
    client = next(iter(page.shop.login.clients.values()))
    assert SECRET not in "".join(shown)
    assert str(client.client_secret) not in "".join(shown)


async def test_a_state_is_stored_as_its_hash(page: Page, open_world: World) -> None:
    back = await page.shop.visit((await page.begin())["authorization_url"])
    async with open_world.database.system() as connection:
        rows = await connection.fetch("SELECT to_jsonb(s)::text FROM mcp_begun_sign_ins s")
    assert len(rows) == 1
    assert back["state"] not in rows[0][0]


async def test_a_new_beginning_replaces_the_old_one(page: Page) -> None:
    first = await page.shop.visit((await page.begin())["authorization_url"])
    second = await page.shop.visit((await page.begin())["authorization_url"])
    assert "not known" in (await page.come_back(**first)).text
    assert (await page.come_back(**second)).status_code == 200


@pytest.mark.parametrize(("body", "field"), [
    ({"mcp_tool_id": "other"}, "mcp_tool_id"), ({"ai_assistant_id": 999_999}, "ai_assistant_id"),
    ({"ai_assistant_id": None}, "ai_assistant_id"), ({"mcp_tool_id": "x" * 65}, "mcp_tool_id"),
    ({"colour": "red"}, "colour"),
], ids=["server", "assistant", "none", "long", "unknown"])  # fmt: skip
async def test_wrong_input_names_its_field(page: Page, body: dict[str, Json], field: str) -> None:
    answer = await page.client.post(PATH, json={"ai_assistant_id": page.id, "mcp_tool_id": "shop", **body})
    assert answer.status_code == 400
    assert field in answer.json()["errors"]


async def test_others_begin_nothing(page: Page, open_world: World) -> None:
    body = {"ai_assistant_id": page.id, "mcp_tool_id": "shop"}
    assert (await open_world.client(Role.member).post(PATH, json=body)).status_code == 403
    theirs = await open_world.row("ai-assistants", THEIRS)
    answer = await page.client.post(PATH, json={**body, "ai_assistant_id": theirs})
    assert answer.json()["errors"] == {"ai_assistant_id": "names no assistant that exists"}


async def test_a_server_that_cannot_be_signed_in_to_is_said_to_be(page: Page) -> None:
    entry: Json = {"id": "shop", "name": "Shop", "url": "http://127.0.0.1:1/mcp", "authentication_type": "oauth2"}
    await page.client.patch(f"/ai-assistants/{page.id}", json={"mcp_tools": [entry]})
    begun = await page.begin()
    assert (begun["success"], begun["error"]["code"], begun["authorization_url"]) == (False, "unreachable", None)


async def test_our_own_document_stands_behind_https_only(page: Page, open_world: World) -> None:
    assert (await page.client.get("/mcp-oauth/client.json")).status_code == 404
    open_world.app.app.state.door.mail = Mail("https://desk.example.com")  # type: ignore[attr-defined]
    document = (await page.client.get("/mcp-oauth/client.json")).json()
    assert document["client_id"] == "https://desk.example.com/mcp-oauth/client.json"
    assert document["redirect_uris"] == ["https://desk.example.com/mcp-oauth/callback"]
    assert document["token_endpoint_auth_method"] == "none"


async def test_the_page_speaks_the_language_of_its_reader(page: Page) -> None:
    transport = page.client._transport
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers={"accept-language": "es"}) as one:
        answer = await one.get(CALLBACK, params={"state": "<script>"})
    assert "No se inició la sesión" in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_a_copy_of_the_assistant_signs_in_for_itself(page: Page) -> None:
    await page.sign_in()
    record = (await page.client.get(f"/ai-assistants/{page.id}")).json()
    copy = (await page.client.post("/ai-assistants", json={**record, "name": "Copy"})).json()
    config = copy["mcp_tools"][0]["oauth2_config"]
    assert (config["access_token"], config["status"], config["expires_at"]) == (None, None, None)
    assert "mcp_sign_in_needed" in [one["code"] for one in copy["warnings"]]
    page.id = copy["id"]
    await page.sign_in()
    assert len(page.shop.login.clients) == 2
    assert (await page.tried())["success"] is True


async def test_a_restore_keeps_todays_sign_in(page: Page) -> None:
    await page.sign_in()
    path = f"/ai-assistants-change-history?ai_assistant_id={page.id}&$sort[id]=-1"
    entry = (await page.client.get(path)).json()["data"][0]
    await page.sign_in()
    now = await page.config()
    body = {"change_history_id": entry["id"]}
    await page.client.post("/ai-assistants-restore-from-changes-history", json=body)
    assert await page.config() == now
    assert (await page.tried())["success"] is True
