"""Providers against an OpenAI-compatible server on loopback: streams, calls, failures, what is sent."""

from collections.abc import AsyncIterator

import pytest
from pydantic_ai import models
from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError, ModelRateLimitError

from frontdesk.core.egress import Guard
from frontdesk.models.clients import MOST_CLIENTS, Clients
from frontdesk.models.providers import PROVIDERS
from tests.models.asking import FIND, Talk
from tests.models.model_server import Scene, call_chunks, model_server, text_chunks


@pytest.fixture(autouse=True)
def allow_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "ALLOW_MODEL_REQUESTS", True)


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    clients = Clients(Guard(allow_loopback=True))
    yield clients
    await clients.close()


def talk(clients: Clients, scene: Scene, key: str | None = None) -> Talk:
    return Talk(clients.model("openai_compatible", "m", scene.url, key), (FIND,))


async def test_a_text_is_streamed_and_counted(clients: Clients) -> None:
    async with model_server(text_chunks("Good ", "morning")) as scene:
        asked = await talk(clients, scene).ask("Hi")
    assert asked.text == "Good morning"
    assert asked.events > 2
    assert (asked.response.usage.input_tokens, asked.response.usage.output_tokens) == (12, 3)


async def test_a_tool_call_comes_in_pieces(clients: Clients) -> None:
    async with model_server(call_chunks("find_contact", '{"search": "Ana"}')) as scene:
        asked = await talk(clients, scene).ask("Who is Ana?")
    assert asked.calls == [("find_contact", {"search": "Ana"})]
    assert scene.bodies[0]["stream"] is True


@pytest.mark.parametrize(
    ("status", "error"), [(429, ModelRateLimitError), (503, ModelHTTPError), (400, ModelHTTPError)]
)
async def test_a_refusal_is_told_and_not_repeated(clients: Clients, status: int, error: type[Exception]) -> None:
    async with model_server(status=status) as scene:
        with pytest.raises(error):
            await talk(clients, scene).ask("Hi")
        assert len(scene.recorder.requests) == 1


async def test_a_broken_stream_is_an_error(clients: Clients) -> None:
    async with model_server(text_chunks("Half"), is_cut_off=True) as scene:
        with pytest.raises(ModelAPIError):
            await talk(clients, scene).ask("Hi")


async def test_a_stream_that_ends_without_saying_so_is_an_error(clients: Clients) -> None:
    async with model_server(text_chunks("Half"), is_unfinished=True) as scene:
        with pytest.raises(ModelAPIError, match="finish_reason"):
            await talk(clients, scene).ask("Hi")


async def test_without_a_key_nothing_of_ours_is_sent(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "sk-of-the-installation")
    async with model_server() as scene:
        await talk(clients, scene).ask("Hi")
        assert not scene.recorder.said("sk-of-the-installation")


async def test_a_private_address_is_not_asked() -> None:
    closed = Clients(Guard())
    async with model_server() as scene:
        with pytest.raises(ModelAPIError):
            await talk(closed, scene).ask("Hi")
        assert not scene.recorder.requests
    await closed.close()


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
async def test_each_provider_is_built_on_the_guarded_client(clients: Clients, provider: str) -> None:
    model = clients.model(provider, "some-model", "http://127.0.0.1:1", "sk-test")
    assert model.model_name == "some-model"
    with pytest.raises(ModelAPIError):
        await Talk(model).ask("Hi")


def kept(clients: Clients) -> int:
    return len(clients._kept)


async def test_clients_are_kept_by_provider_address_and_key(clients: Clients) -> None:
    for key in ("a", "a", "b"):
        clients.model("openai", "m", None, key)
    clients.model("openai_compatible", "m", "http://x.example/v1", "a")
    assert kept(clients) == 3


async def test_the_number_of_clients_is_bounded(clients: Clients) -> None:
    for number in range(MOST_CLIENTS + 5):
        clients.model("openai_compatible", "m", f"http://{number}.example/v1", None)
    assert kept(clients) == MOST_CLIENTS
