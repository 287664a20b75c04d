"""`mcp_tools` over HTTP: wrong input names its field, and a secret is never read, nor sent where it does not belong."""

import httpx
import pytest

from frontdesk.core.caller import Role
from frontdesk.core.errors import Json
from tests.world import World

KEY, HEADER, CLIENT = "canary-key-1111aaaa", "canary-header-2222bbbb", "canary-client-3333cccc"
HISTORY, RESTORE = "/ai-assistants-change-history", "/ai-assistants-restore-from-changes-history"
SHOP: dict[str, Json] = {
    "id": "shop", "name": "Shop", "url": "https://shop.example.com/mcp", "authentication_type": "api_key",
    "api_key": KEY, "tools": [{"name": "search", "enabled": True, "approval": "never"}],
}  # fmt: skip
BOOKS: dict[str, Json] = {
    "id": "books", "name": "Books", "url": "https://books.example.com/mcp", "authentication_type": "custom_headers",
    "custom_headers": [{"name": "X-Key", "value": HEADER}], "tools": [{"name": "find"}],
}  # fmt: skip
OAUTH: Json = {"client_id": "me", "client_secret": CLIENT, "token_url": "https://login.example.com/token",
               "access_token": KEY}  # fmt: skip


class Page:
    """The settings of one assistant."""

    def __init__(self, client: httpx.AsyncClient, id: int) -> None:
        self.client, self.path = client, f"/ai-assistants/{id}"

    async def send(self, *servers: Json) -> httpx.Response:
        answer = await self.client.patch(self.path, json={"mcp_tools": [*servers]})
        assert not any(secret in answer.text for secret in (KEY, HEADER, CLIENT))
        return answer

    async def save(self, *servers: Json) -> dict[str, Json]:
        answer = await self.send(*servers)
        assert answer.status_code == 200, answer.text
        record: dict[str, Json] = answer.json()
        return record

    async def refused(self, *servers: Json) -> dict[str, str]:
        answer = await self.send(*servers)
        assert answer.status_code == 400, answer.text
        errors: dict[str, str] = answer.json()["errors"]
        return errors

    async def servers(self) -> list[dict[str, Json]]:
        found: list[dict[str, Json]] = (await self.client.get(self.path)).json()["mcp_tools"]
        return found


@pytest.fixture
async def page(world: World) -> Page:
    return Page(world.client(Role.owner), await world.row("ai-assistants"))


async def test_a_server_reads_as_it_was_written_with_masks(page: Page) -> None:
    await page.save(SHOP, BOOKS)
    shop, books = await page.servers()
    assert shop["api_key"] == "••••••••aaaa"
    assert shop["tools"] == [{"name": "search", "enabled": True, "approval": "never", "fingerprint": None}]
    assert books["custom_headers"] == [{"name": "X-Key", "value": "••••••••bbbb"}]
    assert shop["enabled"] is True


LONG: Json = [{"name": f"t{i}"} for i in range(201)]
WRONG: list[tuple[str, list[Json]]] = [
    ("mcp_tools", [{"no": "list"}]), ("mcp_tools.0.id", [SHOP | {"id": "a b"}]), ("mcp_tools.0.id", [{"name": "x"}]),
    ("mcp_tools", [SHOP, SHOP]), ("mcp_tools", [SHOP | {"id": f"s{i}"} for i in range(21)]),
    ("mcp_tools.1.url", [SHOP, BOOKS | {"url": "nowhere"}]), ("mcp_tools.0.url", [SHOP | {"url": "http://10.0.0.1/mcp"}]),
    ("mcp_tools.0.url", [SHOP | {"url": "http://[fd00::1]/mcp"}]), ("mcp_tools.0.name", [SHOP | {"name": ""}]),
    ("mcp_tools.0.authentication_type", [SHOP | {"authentication_type": "basic"}]),
    ("mcp_tools.0.api_key", [SHOP | {"api_key": "a\r\nb"}]), ("mcp_tools.0.api_key", [SHOP | {"api_key": 7}]),
    ("mcp_tools.0.api_key", [SHOP | {"api_key": "••••••••9999"}]),
    ("mcp_tools.0.custom_headers", [BOOKS | {"custom_headers": []}]),
    ("mcp_tools.0.custom_headers.0.name", [BOOKS | {"custom_headers": [{"name": "Content-Length", "value": "1"}]}]),
    ("mcp_tools.0.oauth2_config.issuer", [SHOP | {"oauth2_config": {"issuer": "nowhere"}}]),
    ("mcp_tools.0.oauth2_config.status", [SHOP | {"oauth2_config": {"status": "maybe"}}]),
    ("mcp_tools.0.oauth2_config.colour", [SHOP | {"oauth2_config": {"colour": "red"}}]),
    ("mcp_tools.0.tools", [SHOP | {"tools": LONG}]), ("mcp_tools.0.tools", [SHOP | {"tools": [{"name": "a"}] * 2}]),
    ("mcp_tools.0.tools.0.approval", [SHOP | {"tools": [{"name": "a", "approval": "maybe"}]}]),
    ("mcp_tools.0.tools.0.colour", [SHOP | {"tools": [{"name": "a", "colour": "red"}]}]),
    ("mcp_tools.0.tools.0", [SHOP | {"tools": ["a"]}]), ("mcp_tools.0.enabled", [SHOP | {"enabled": "yes"}]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "servers"), WRONG, ids=[f"{path}-{i}" for i, (path, _) in enumerate(WRONG)])
async def test_wrong_input_names_its_field(page: Page, path: str, servers: list[Json]) -> None:
    found = await page.refused(*servers)
    assert any(name == path or (path == "mcp_tools" and name.startswith(path)) for name in found), found
    assert await page.servers() == []


async def test_a_mask_keeps_the_secret_by_id_and_name_in_any_order(page: Page) -> None:
    before = (await page.save(SHOP, BOOKS))["version"]
    shop, books = await page.servers()
    books["custom_headers"] = [{"name": "x-key", "value": "••••••••bbbb"}]
    moved = {**shop, "url": "https://SHOP.example.com:443/other", "name": "Other"}
    after = await page.save(books, moved)
    assert after["version"] == int(str(before)) + 1
    assert [server["id"] for server in await page.servers()] == ["books", "shop"]
    assert (await page.save(*(await page.servers())))["version"] == after["version"]


@pytest.mark.parametrize("members", [
    {"id": "other"}, {"url": "https://evil.example/mcp"}, {"url": "http://shop.example.com/mcp"},
    {"url": "https://shop.example.com:8443/mcp"}, {"api_key": "••••••••bbbb"},
], ids=lambda members: str(next(iter(members.values()))))  # fmt: skip
async def test_a_mask_stands_for_nothing_elsewhere(page: Page, members: dict[str, Json]) -> None:
    await page.save(SHOP)
    shop = (await page.servers())[0]
    assert list(await page.refused({**shop, **members})) == ["mcp_tools.0.api_key"]
    assert await page.servers() == [shop]


async def test_the_secret_of_a_client_goes_to_its_token_address_only(page: Page) -> None:
    await page.save(SHOP | {"authentication_type": "oauth2", "oauth2_config": OAUTH})
    shop = (await page.servers())[0]
    oauth = shop["oauth2_config"]
    assert isinstance(oauth, dict)
    moved = await page.refused({**shop, "oauth2_config": {**oauth, "token_url": "https://evil.example/token"}})
    assert list(moved) == ["mcp_tools.0.oauth2_config.client_secret"]


async def test_another_secret_with_the_same_mask_is_a_change(page: Page) -> None:
    first = await page.save(SHOP)
    second = await page.save(SHOP | {"api_key": "another-key-aaaa"})
    entry = (await page.client.get(f"{HISTORY}?ai_assistant_id={first['id']}&$sort[id]=-1")).json()["data"][0]
    assert second["version"] != first["version"]
    assert entry["changed_fields"] == ["mcp_tools"]


async def test_what_does_not_work_is_a_warning(page: Page) -> None:
    tools: Json = [{"name": "a", "approval": "always"}, {"name": "b", "enabled": False}]
    record = await page.save(
        SHOP | {"api_key": None}, BOOKS | {"tools": []},
        SHOP | {"id": "o", "authentication_type": "oauth2", "tools": tools},
    )  # fmt: skip
    warnings = record["warnings"]
    assert isinstance(warnings, list)
    found = {(one["code"], one["field"]) for one in warnings if str(one["field"]).startswith("mcp_tools")}  # type: ignore[index, call-overload]
    assert found == {
        ("secret_missing", "mcp_tools.0.api_key"), ("mcp_without_tools", "mcp_tools.1.tools"),
        ("mcp_sign_in_needed", "mcp_tools.2.oauth2_config"),
    }  # fmt: skip


async def test_a_duplicate_has_the_servers_and_no_secret(page: Page) -> None:
    await page.save(SHOP, BOOKS)
    record = (await page.client.get(page.path)).json()
    copy = await page.client.post("/ai-assistants", json={**record, "name": "Copy"})
    assert copy.status_code == 201, copy.text
    assert [server["api_key"] for server in copy.json()["mcp_tools"]] == [None, None]
    codes = [one["field"] for one in copy.json()["warnings"] if one["code"] == "secret_missing"]
    assert codes == ["mcp_tools.0.api_key", "mcp_tools.1.custom_headers.0.value"]


async def test_a_restore_keeps_todays_secrets_and_drops_those_of_another_address(page: Page) -> None:
    then = await page.save(SHOP, BOOKS)
    await page.save(SHOP | {"api_key": "a-newer-key-dddd"}, BOOKS | {"url": "https://moved.example.com/mcp"})
    history = (await page.client.get(f"{HISTORY}?ai_assistant_id={then['id']}")).json()["data"]
    entry = next(one for one in history if one["version"] == then["version"])
    answer = await page.client.post(RESTORE, json={"change_history_id": entry["id"]})
    assert answer.status_code == 201, answer.text
    shop, books = answer.json()["mcp_tools"]
    assert (shop["api_key"], books["url"]) == ("••••••••dddd", BOOKS["url"])
    assert books["custom_headers"] == [{"name": "X-Key", "value": None}]
    codes = [(one["code"], one["field"]) for one in answer.json()["warnings"]]
    assert ("secret_dropped", "mcp_tools.1.custom_headers.0.value") in codes


async def test_no_secret_is_anywhere_in_the_database(page: Page, world: World) -> None:
    await page.save(SHOP | {"oauth2_config": OAUTH}, BOOKS)
    await page.refused(SHOP | {"url": "nowhere"}, BOOKS)
    shown = [(await page.client.get(path)).text for path in ("/ai-assistants", HISTORY)]
    async with world.database.system() as connection:
        for (table,) in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
            shown += [row[0] for row in await connection.fetch(f'SELECT to_jsonb(t)::text FROM "{table}" t')]
    assert not any(secret in text for text in shown for secret in (KEY, HEADER, CLIENT))
