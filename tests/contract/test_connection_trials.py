"""`POST /ai-assistants/:id/test-connection`: a real request to a server of ours, and a sentence for what went wrong."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic_ai import models

from frontdesk.core.caller import Role
from frontdesk.resources.assistants.ai_assistants_test_connection import PER_MINUTE
from tests.models.http_server import Handler, Received, answer, serving
from tests.models.model_server import Scene, model_server, text_chunks
from tests.world import THEIRS, World

KEY = "sk-canary-5e1f0a7b"


@pytest.fixture(autouse=True)
def allow_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "ALLOW_MODEL_REQUESTS", True)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with model_server(text_chunks("Yes.")) as scene:
        yield scene


async def assistant(world: World, url: str, **fields: object) -> int:
    values = {"provider": "openai_compatible", "base_url": url, "model": "m", "name": "Own", **fields}
    model = await world.row("ai-models", **values)  # type: ignore[arg-type]
    return await world.row("ai-assistants", ai_model_id=model, connection="system", advanced_options={})


async def tried(world: World, id: int, role: Role = Role.admin, **body: object) -> tuple[int, dict[str, Any]]:
    async with world.client(role) as client:
        said = await client.post(f"/ai-assistants/{id}/test-connection", json=body)
    assert KEY not in said.text
    return said.status_code, said.json()


async def test_a_model_that_answers_is_named_with_its_speed(world: World, scene: Scene) -> None:
    status, said = await tried(world, await assistant(world, scene.url))
    assert status == 201
    assert (said["ok"], said["code"], said["provider"], said["model"]) == (True, "ok", "openai_compatible", "m")
    assert said["message"] == "OpenAI-compatible server m answered."
    assert said["latency_ms"] >= 0


async def test_the_tokens_count_on_the_organizations_day(world: World, scene: Scene) -> None:
    await tried(world, await assistant(world, scene.url, price_input=1, price_output=1))
    async with world.database.system() as connection:
        used = await connection.fetchrow("SELECT input_tokens, output_tokens, cost FROM ai_daily_usage")
    assert (used["input_tokens"], used["output_tokens"], float(used["cost"])) == (12, 3, 0.000015)


async def test_a_key_is_tried_before_it_is_saved(world: World, scene: Scene) -> None:
    id = await assistant(world, scene.url)
    status, said = await tried(world, id, specific_openai_secret_key=KEY)
    assert (status, said["ok"]) == (201, True)
    assert scene.recorder.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    async with world.database.system() as connection:
        assert await connection.fetchval("SELECT specific_key_sealed FROM ai_assistants WHERE id = $1", id) is None


async def test_another_model_is_tried_before_it_is_chosen(world: World, scene: Scene) -> None:
    id = await assistant(world, "http://127.0.0.1:1/v1")
    other = await world.row("ai-models", provider="openai_compatible", base_url=scene.url, model="other", name="Other")
    _, said = await tried(world, id, ai_model_id=other)
    assert (said["ok"], said["model"]) == (True, "other")


def refusal(status: int, code: str) -> Handler:
    body = f'{{"error": {{"message": "Your key {KEY} is no good", "code": "{code}"}}}}'
    return answer(body.encode(), status, content_type="application/json")


@pytest.mark.parametrize(
    ("status", "provider_code", "code", "words"),
    [
        (401, "invalid_api_key", "wrong_key", "refused the key"),
        (403, "forbidden", "wrong_key", "refused the key"),
        (404, "model_not_found", "unknown_model", "is not known there"),
        (429, "rate_limit_exceeded", "rate_limited", "asked too often"),
        (429, "insufficient_quota", "quota", "no credit or quota left"),
        (402, "billing", "quota", "no credit or quota left"),
        (400, "bad_parameter", "rejected", "(HTTP 400)"),
        (500, "oops", "provider_error", "(HTTP 500)"),
        (503, "overloaded", "provider_error", "(HTTP 503)"),
    ],
)
async def test_each_refusal_has_its_sentence(
    world: World, status: int, provider_code: str, code: str, words: str
) -> None:
    async with serving(refusal(status, provider_code)) as server:
        id = await assistant(world, f"{server.url}/v1")
        _, said = await tried(world, id, specific_openai_secret_key=KEY)
    assert (said["ok"], said["code"]) == (False, code)
    assert words in said["message"]


async def test_a_page_that_is_no_model_is_said_to_be_none(world: World) -> None:
    async with serving(answer(b"<html>Welcome</html>", content_type="text/html")) as server:
        _, said = await tried(world, await assistant(world, f"{server.url}/v1"))
    assert (said["ok"], said["code"]) == (False, "bad_answer")


async def test_a_server_that_does_not_run_cannot_be_reached(world: World) -> None:
    _, said = await tried(world, await assistant(world, "http://127.0.0.1:1/v1"))
    assert (said["code"], said["message"].split(".")[0]) == (
        "no_route", "The server of OpenAI-compatible server m cannot be reached",
    )  # fmt: skip


async def test_an_address_inside_is_not_asked(world: World) -> None:
    _, said = await tried(world, await assistant(world, "http://169.254.169.254/v1"))
    assert said["code"] == "no_route"
    assert "FRONTDESK_EGRESS_ALLOW" in said["message"]


async def test_a_server_that_is_silent_is_not_waited_for_long(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontdesk.models.connection_trial.SECONDS", 0.3)
    is_over = asyncio.Event()

    async def wait(_: Received, writer: asyncio.StreamWriter) -> None:
        await is_over.wait()

    async with serving(wait) as server:
        _, said = await tried(world, await assistant(world, f"{server.url}/v1"))
        is_over.set()
    assert said["code"] == "timeout"


async def test_a_model_without_a_key_says_where_to_put_one(world: World) -> None:
    claude = await world.row("ai-models", provider="anthropic", model="claude-haiku-5-5", name="Claude")
    id = await world.row("ai-assistants", ai_model_id=claude, connection="organization", advanced_options={})
    _, said = await tried(world, id)
    assert (said["code"], said["provider"]) == ("no_key", None)
    assert "Store one for the organization" in said["message"]


async def test_no_transaction_is_open_while_the_provider_is_waited_for(world: World) -> None:
    states: list[int] = []

    async def look(request: Received, writer: asyncio.StreamWriter) -> None:
        async with world.database.system() as connection:
            states.append(
                await connection.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
                    " AND datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        await refusal(401, "x")(request, writer)

    async with serving(look) as server:
        await tried(world, await assistant(world, f"{server.url}/v1"))
    assert states == [0]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"ai_model_id": 2**40}, "ai_model_id"), ({"ai_model_id": "x"}, "ai_model_id"),
        ({"connection": "mine"}, "connection"), ({"specific_openai_secret_key": "a\nb"}, "specific_openai_secret_key"),
        ({"specific_openai_secret_key": "••••••••abcd"}, "specific_openai_secret_key"), ({"colour": 1}, "colour"),
    ],
    ids=["no model", "no number", "no connection", "two lines", "no such mask", "unknown"],
)  # fmt: skip
async def test_a_wrong_body_is_named(world: World, body: dict[str, object], field: str) -> None:
    status, said = await tried(world, await assistant(world, "http://127.0.0.1:1/v1"), **body)
    assert status == 400
    assert field in said["errors"]


async def test_the_installations_key_is_not_tried_on_an_own_row(world: World) -> None:
    own = await world.row("ai-models", provider="openai", model="gpt-x", name="Own")
    status, said = await tried(world, await assistant(world, "http://127.0.0.1:1/v1"), ai_model_id=own)
    assert (status, list(said["errors"])) == (400, ["connection"])


async def test_only_an_admin_may_try_and_only_ones_own_assistant(world: World) -> None:
    id = await assistant(world, "http://127.0.0.1:1/v1")
    theirs = await world.row("ai-assistants", THEIRS)
    assert (await tried(world, id, Role.member))[0] == 403
    assert (await tried(world, theirs))[0] == 404


async def test_trials_are_limited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontdesk.resources.assistants.ai_assistants_test_connection.PER_MINUTE", 1)
    claude = await world.row("ai-models", provider="anthropic", model="claude-haiku-5-5", name="Claude")
    id = await world.row("ai-assistants", ai_model_id=claude, connection="organization", advanced_options={})
    assert (await tried(world, id))[0] == 201
    status, said = await tried(world, id)
    assert (status, said["data"]["limit"]) == (429, 1)
    assert PER_MINUTE > 1
