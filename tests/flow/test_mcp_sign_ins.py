"""Sign-ins at MCP servers in turns: tokens are renewed by one at a time, and a grant that is gone stops nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from frontdesk.assistants.mcp_challenge import Challenge
from frontdesk.assistants.mcp_client import McpFailed
from frontdesk.assistants.mcp_grants import Place, asked_of, renewed, with_sign_in
from frontdesk.assistants.mcp_secrets import Opened, opened
from frontdesk.assistants.mcp_tools import McpTools
from frontdesk.core.clock import SystemClock
from frontdesk.core.egress import Guard
from frontdesk.core.errors import Json
from frontdesk.core.mail import Mail
from frontdesk.resources.assistants.mcp_sign_ins import complete
from tests.flow.harness import Desk, call
from tests.flow.test_mcp_tools import IN_TRANSACTION, offered, returned, steps
from tests.mcp_guarded_shop import LIFETIME, SECRET, GuardedShop, guarded_shop


@pytest.fixture
async def shop() -> AsyncIterator[GuardedShop]:
    async with guarded_shop() as running:
        yield running


@pytest.fixture
async def signed_in(desk: Desk, shop: GuardedShop) -> Desk:
    """The operator allows this machine, and the owner has signed in."""
    desk.door.guard, desk.door.mail = Guard.of(["127.0.0.1"]), Mail("http://desk.example.com")
    await desk.configure(mcp_tools=[entry(shop)])
    await sign_in(desk, shop)
    return desk


def entry(shop: GuardedShop, **config: Json) -> dict[str, Json]:
    return {
        "id": "shop", "name": "Shop", "url": shop.url, "authentication_type": "oauth2", "tools": [{"name": "search"}],
        "oauth2_config": config or None,
    }  # fmt: skip


async def sign_in(desk: Desk, shop: GuardedShop) -> None:
    begun = (await desk.call("mcp-sign-ins", "create", ai_assistant_id=desk.assistant_id, mcp_tool_id="shop")).value
    assert begun["success"], begun
    await complete(desk.door, await shop.visit(str(begun["authorization_url"])))


def place(desk: Desk) -> Place:
    return Place(desk.organization_id, desk.assistant_id, "shop")


async def config(desk: Desk) -> dict[str, Any]:
    record = (await desk.call("ai-assistants", "get", desk.assistant_id)).value
    return cast("list[Any]", record["mcp_tools"])[0]["oauth2_config"]  # type: ignore[no-any-return]


async def stored(desk: Desk) -> Opened:
    (row,) = await desk.fetch("SELECT mcp_tools::text, mcp_secrets_sealed::text FROM ai_assistants")
    return opened(McpTools.model_validate(json.loads(row[0])).root[0], json.loads(row[1]), desk.door.vault)


async def version(desk: Desk) -> int | None:
    return (await desk.call("ai-assistants", "get", desk.assistant_id)).version


async def warnings(desk: Desk) -> list[str]:
    answer = (await desk.call("ai-assistants", "patch", desk.assistant_id, name="Reception")).value
    return [one["code"] for one in cast("list[Any]", answer["warnings"])]


def search(call_id: str = "one") -> Any:
    return call("shop__search", call_id, query="bread")


async def test_a_token_that_has_run_out_is_renewed_without_a_new_version(signed_in: Desk, shop: GuardedShop) -> None:
    before, first = await version(signed_in), await stored(signed_in)
    await signed_in.clock.advance(LIFETIME)
    assert await signed_in.ask("Bread?", search(), "Yes.") == ["Yes."]
    assert (shop.calls, shop.login.exchanges) == (["bread"], 1)
    assert await steps(signed_in) == [("shop__search", "done")]
    now = await stored(signed_in)
    assert now.tokens.refresh_token != first.tokens.refresh_token
    assert now.tokens.client_secret == first.tokens.client_secret
    assert not now.is_run_out(signed_in.clock.now())
    assert await version(signed_in) == before


async def test_a_token_that_is_refused_in_a_call_is_renewed_and_the_call_made(
    signed_in: Desk, shop: GuardedShop
) -> None:
    async def forget(_: object) -> Any:
        shop.login.good.clear()
        return search()

    assert await signed_in.ask("Bread?", forget, "Yes.") == ["Yes."]
    assert (shop.calls, shop.login.exchanges) == (["bread"], 1)
    assert await steps(signed_in) == [("shop__search", "done")]


async def test_two_at_once_spend_a_refresh_token_once(signed_in: Desk, shop: GuardedShop) -> None:
    signed_in.door.clock = SystemClock()  # the one that waits does so in real time
    used = await stored(signed_in)
    found = await asyncio.gather(*(renewed(signed_in.door, place(signed_in), used) for _ in range(4)))
    assert shop.login.exchanges == 1
    assert {one.tokens.access_token for one in found} == set(shop.login.good)


async def test_nothing_is_open_while_the_other_side_is_waited_for(signed_in: Desk, shop: GuardedShop) -> None:
    shop.login.gate = asyncio.Event()
    running = asyncio.create_task(renewed(signed_in.door, place(signed_in), await stored(signed_in)))
    await signed_in.wait_for(shop.login.reached)
    assert await signed_in.fetch(IN_TRANSACTION) == []
    shop.login.gate.set()
    assert (await running).tokens.access_token in shop.login.good


async def test_whoever_stops_the_turn_a_spent_token_is_replaced(signed_in: Desk, shop: GuardedShop) -> None:
    shop.login.gate = asyncio.Event()
    running = asyncio.create_task(renewed(signed_in.door, place(signed_in), await stored(signed_in)))
    await signed_in.wait_for(shop.login.reached)
    running.cancel()
    shop.login.gate.set()
    await asyncio.gather(running, return_exceptions=True)
    assert (await stored(signed_in)).tokens.access_token in shop.login.good


async def test_a_new_sign_in_meanwhile_is_not_overwritten(signed_in: Desk, shop: GuardedShop) -> None:
    shop.login.gate = asyncio.Event()
    running = asyncio.create_task(renewed(signed_in.door, place(signed_in), await stored(signed_in)))
    await signed_in.wait_for(shop.login.reached)
    await sign_in(signed_in, shop)
    newest = await stored(signed_in)
    shop.login.gate.set()
    assert (await running).tokens == newest.tokens
    assert (await stored(signed_in)).tokens == newest.tokens


async def test_a_dead_process_keeps_its_claim_for_a_while_only(signed_in: Desk, shop: GuardedShop) -> None:
    claim = (
        "INSERT INTO mcp_grants (organization_id, ai_assistant_id, mcp_tool_id, claimed_until) VALUES (1, $1, $2, $3)"
    )
    async with signed_in.database.system() as connection:
        await connection.execute(claim, signed_in.assistant_id, "shop", signed_in.clock.now())
    assert (await renewed(signed_in.door, place(signed_in), await stored(signed_in))).missing is None


async def test_a_revoked_grant_takes_the_server_away_and_nothing_else(signed_in: Desk, shop: GuardedShop) -> None:
    shop.login.revoke_all()
    assert await signed_in.ask("Bread?", "I cannot look.") == ["I cannot look."]
    assert offered(signed_in) == set()
    assert (await config(signed_in))["status"] == "sign_in_again"
    assert "mcp_sign_in_again" in await warnings(signed_in)
    exchanges = shop.login.exchanges
    await signed_in.pass_time(3600)
    await signed_in.ask("And now?", "No.")
    assert shop.login.exchanges == exchanges
    await sign_in(signed_in, shop)
    assert "mcp_sign_in_again" not in await warnings(signed_in)
    await signed_in.ask("And now?", search(), "Yes.")
    assert shop.calls == ["bread"]


async def test_a_grant_that_is_revoked_in_a_turn_is_a_sentence_to_the_model(signed_in: Desk, shop: GuardedShop) -> None:
    async def revoke(_: object) -> Any:
        shop.login.revoke_all()
        return search()

    assert await signed_in.ask("Bread?", revoke, "I cannot look.") == ["I cannot look."]
    said = returned(signed_in.script.requests[-1])[0]
    assert "shop__search was not called: its sign-in is over, and somebody has to sign in again." in said
    assert await steps(signed_in) == [("shop__search", "failed")]


async def test_a_login_that_is_down_ends_no_sign_in(signed_in: Desk, shop: GuardedShop) -> None:
    used = await stored(signed_in)
    await signed_in.configure(
        mcp_tools=[
            entry(
                shop, client_id="me", access_token="old", refresh_token=used.tokens.refresh_token,
                token_url="http://127.0.0.1:1/token",
            )
        ]
    )  # fmt: skip
    await signed_in.ask("Bread?", "I cannot look.")
    assert (await config(signed_in))["status"] == "signed_in"
    rows = await signed_in.fetch("SELECT claimed_until FROM mcp_grants")
    assert [row[0] for row in rows] == [None]


async def test_a_tool_that_wants_more_rights_leaves_the_others(signed_in: Desk, shop: GuardedShop) -> None:
    async def refuse(_: Opened) -> None:
        wanted = Challenge(403, 'Bearer error="insufficient_scope", scope="shop:write"')
        raise McpFailed("unauthorized", "no", "secret", challenge=wanted)

    with pytest.raises(McpFailed):
        await with_sign_in(signed_in.door, place(signed_in), await stored(signed_in), refuse)
    assert "mcp_sign_in_again" in await warnings(signed_in)
    await signed_in.ask("Bread?", search(), "Yes.")
    async with signed_in.database.reading(1) as connection:
        assert (await asked_of(connection, place(signed_in))).challenge.wants_more
    await sign_in(signed_in, shop)
    assert shop.login.asked[-1].scopes == ["shop:read", "shop:write"]
    assert "mcp_sign_in_again" not in await warnings(signed_in)


async def test_a_forgotten_client_is_registered_anew(signed_in: Desk, shop: GuardedShop) -> None:
    shop.login.clients.clear()
    shop.login.revoke_all()
    await signed_in.ask("Bread?", "I cannot look.")
    await sign_in(signed_in, shop)
    assert len(shop.login.clients) == 1
    await signed_in.ask("Bread?", search(), "Yes.")
    assert shop.calls == ["bread"]


async def test_no_token_reaches_model_database_or_log(
    signed_in: Desk, shop: GuardedShop, capsys: pytest.CaptureFixture[str]
) -> None:
    await signed_in.clock.advance(LIFETIME)
    await signed_in.ask("Bread?", search(), "Yes.")
    shop.login.revoke_all()
    await signed_in.ask("Bread?", search("two"), "No.")
    shown = [str(signed_in.script.requests), str(signed_in.script.infos), *capsys.readouterr()]
    for (table,) in await signed_in.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        shown += [row[0] for row in await signed_in.fetch(f'SELECT to_jsonb(t)::text FROM "{table}" t')]
    assert SECRET not in "".join(shown)
