"""Every provider's real code and whole turns against aimock, which speaks OpenAI's, Anthropic's and Google's protocols.

Run by `make clients`: the package comes from npm. What the server answers stands in `aimock/fixtures.json`.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic_ai import models
from pydantic_ai.exceptions import AgentRunError, ModelAPIError, ModelConnectionError, ModelRateLimitError

from frontdesk.core.database import Database
from frontdesk.core.egress import Guard
from frontdesk.models.clients import Clients
from tests.flow.connected_model import connect
from tests.flow.harness import Desk, make_desk
from tests.models.asking import FIND, Asked, Talk
from tests.models.test_final_answer import ended

HERE = Path(__file__).parent / "aimock"
# The model's name, and the path under which each provider's SDK expects the protocol.
PROVIDERS = {
    "openai": ("gpt-4.1", "/v1"), "openai_compatible": ("llama", "/v1"), "anthropic": ("claude-haiku-4-5", ""),
    "google": ("gemini-2.5-flash", ""),
}  # fmt: skip
PIECE = 8  # characters
CALL_FINISH = "FUNCTION_CALL is not a valid FinishReason"  # of the server's Google dialect; the SDK says so


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=HERE, check=True, timeout=300)
    command = ["node_modules/.bin/llmock", "-p", "0", "-f", "fixtures.json", "--strict", "--chunk-size", str(PIECE)]
    with subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        found = next(filter(None, (re.search(r"listening on (\S+)", line) for line in server.stdout)), None)
        assert found
        yield found[1]
        server.terminate()


@pytest.fixture(autouse=True)
def allow_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "ALLOW_MODEL_REQUESTS", True)


@dataclass
class Line:
    """One provider's client, pointed at the server."""

    clients: Clients
    provider: str
    url: str

    async def ask(self, text: str) -> Asked:
        name, path = PROVIDERS[self.provider]
        return await Talk(self.clients.model(self.provider, name, f"{self.url}{path}", "k"), (FIND,)).ask(text)


@pytest.fixture(params=sorted(PROVIDERS))
async def line(request: pytest.FixtureRequest, url: str) -> AsyncIterator[Line]:
    clients = Clients(Guard(allow_loopback=True))
    yield Line(clients, request.param, url)
    await clients.close()


async def test_a_text_comes_in_pieces_and_is_counted(line: Line) -> None:
    asked = await line.ask("good morning")
    assert asked.text.startswith("Good morning. We are open")
    assert asked.events >= len(asked.text) // PIECE
    assert (asked.response.usage.input_tokens, asked.response.usage.output_tokens) == (40, 17)


@pytest.mark.filterwarnings(f"ignore:{CALL_FINISH}")
async def test_calls_come_together(line: Line) -> None:
    asked = await line.ask("Who are Ana and Luis?")
    assert asked.calls == [("find_contact", {"search": "Ana"}), ("find_contact", {"search": "Luis"})]
    assert len({call.tool_call_id for call in asked.response.tool_calls}) == 2


@pytest.mark.filterwarnings(f"ignore:{CALL_FINISH}")
async def test_values_come_beside_a_reply_that_grows(line: Line) -> None:
    name, path = PROVIDERS[line.provider]
    shown, given = await ended(line.clients.model(line.provider, name, f"{line.url}{path}", "k"), "a visit for three")
    assert given.reply == "Come in, ánimo 😀. Bye now"
    assert given.judged.values == {"intent": "book", "visitors": 3}
    assert len(shown) > 1 or line.provider == "google"  # its arguments come whole


async def test_a_rate_limit_is_told_as_one(line: Line) -> None:
    with pytest.raises(ModelRateLimitError):
        await line.ask("too many")


@pytest.mark.parametrize("text", ["break off", "hang up"])
async def test_a_broken_connection_is_told_as_one(line: Line, text: str) -> None:
    with pytest.raises(ModelConnectionError):
        await line.ask(text)


async def test_an_answer_that_is_none_is_an_error(line: Line) -> None:
    with pytest.raises(AgentRunError) as caught:
        await line.ask("garbage")
    assert not isinstance(caught.value, ModelConnectionError)


async def test_what_the_server_does_not_know_is_an_error(line: Line) -> None:
    with pytest.raises(ModelAPIError):
        await line.ask("nothing that stands in the fixtures")


@pytest.fixture
async def desk(url: str, database: Database, tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk whose model is the server's `first`, with `second` to fall back to."""
    desk = await make_desk(database)
    catalogue, _ = await connect(desk, f"{url}/v1", tmp_path, model="first", price_input=1, price_output=2)
    values = {"name": "Second", "provider": "openai_compatible", "model": "second", "base_url": f"{url}/v1"}
    second = (await desk.call("ai-models", "create", **values)).value["id"]
    await desk.configure(advanced_options={"fallback_ai_model_ids": [second]})
    yield desk
    await catalogue.close()


async def last_turn(desk: Desk) -> dict:
    id = (await desk.fetch("SELECT max(id) FROM ai_turns"))[0][0]
    return (await desk.call("ai-turns", "get", id)).value


async def test_a_turn_streams_an_answer_and_counts_it(desk: Desk) -> None:
    (reply,) = await desk.ask("good morning")
    assert reply.endswith("on Saturdays until one o'clock.")
    turn = await last_turn(desk)
    assert (turn["input_tokens"], turn["output_tokens"], float(turn["cost"])) == (40, 17, 74e-6)


async def test_a_turn_makes_both_calls(desk: Desk) -> None:
    assert await desk.ask("Who are Ana and Luis?") == ["I found both."]
    steps = (await last_turn(desk))["steps"]
    calls = [(step["tool_name"], step["status"]) for step in steps if step["kind"] == "tool"]
    assert calls == [("find_contact", "done")] * 2


@pytest.mark.parametrize("text", ["half a call", "wrong argument"])
async def test_a_call_that_makes_no_sense_is_told_to_the_model(desk: Desk, text: str) -> None:
    assert await desk.ask(text) == ["I could not look it up."]
    steps = (await last_turn(desk))["steps"]
    assert [step["status"] for step in steps if step["kind"] == "tool"] == ["failed"]


async def test_another_model_stands_in_for_one_that_is_down(desk: Desk) -> None:
    assert await desk.ask("Are you down today?") == []
    await desk.pass_time(1)
    assert (await desk.replies())[-1] == "I stand in."
    turn = await last_turn(desk)
    assert (turn["attempts"], turn["model"]["model"], turn["model_trials"][0]["failures"]) == (3, "second", 2)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("too many", "rate_limited"),
        ("break off", "model_unreachable"),
        ("garbage", "model_failed"),
        ("hang up", "model_unreachable"),
    ],
)
async def test_what_fails_everywhere_ends_in_the_fixed_line(desk: Desk, text: str, code: str) -> None:
    await desk.ask(text)
    for seconds in (1, 1, 4, 30):
        await desk.pass_time(seconds)
    assert (await desk.turns())[-1] == code
    assert (await desk.conversation())["owner_reason"] == code
    assert (await desk.replies())[-1].startswith("I'm sorry")
