"""The composer and the OpenAI form of the same: a model outside of any conversation, asked by real clients."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal

import httpx
import httpx2
import openai
import pytest
from pydantic_ai.exceptions import ModelAuthenticationError, ModelHTTPError, ModelRateLimitError
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.settings import ModelSettings

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.no_model import NoModel
from frontdesk.core.caller import Role
from frontdesk.models.catalogue import ResolvedModel
from frontdesk.models.completion import ModelCompletions
from tests.world import OURS, World, key_of

COMPOSER = {
    "system_prompt": "You help a clerk.", "user_prompt": "Thank her.", "source": "ai_conversation_message_composer",
}  # fmt: skip
DRAFT = {"html_content": "<p>Thank you!</p>", "text_content": "Thank you!"}

SPENT = "INSERT INTO ai_daily_usage (organization_id, day, cost) VALUES (1, (now() AT TIME ZONE 'UTC')::date, 1)"


@dataclass
class Answering:
    """A model that says what the test wrote: a mapping is the answer of a schema."""

    answers: list[str | dict[str, object] | Exception] = field(default_factory=list)
    asked: list[list[ModelMessage]] = field(default_factory=list)
    infos: list[AgentInfo] = field(default_factory=list)
    configs: list[AssistantConfig] = field(default_factory=list)
    keys: set[str] = field(default_factory=lambda: {"organization", "system"})

    async def resolve(self, config: AssistantConfig) -> ResolvedModel:
        self.configs.append(config)
        if config.connection not in self.keys:
            raise NoModel("There is no key for OpenAI.", "no_key")
        model: Model = FunctionModel(self._whole, stream_function=self._stream, model_name="scripted")
        return ResolvedModel(model, "Scripted", price_input=Decimal(1), price_output=Decimal(2))

    def _next(self, messages: list[ModelMessage], info: AgentInfo) -> str | dict[str, object]:
        self.asked.append(messages)
        self.infos.append(info)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _whole(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        answer = self._next(messages, info)
        if isinstance(answer, str):
            return ModelResponse([TextPart(answer)])
        return ModelResponse([ToolCallPart(info.output_tools[0].name, json.dumps(answer))])

    async def _stream(self, messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
        answer = self._next(messages, info)
        for word in str(answer).split(" "):
            yield f"{word} "


@pytest.fixture
def model(world: World) -> Answering:
    answering = Answering()
    world.app.app.state.door.completions = ModelCompletions(world.database, answering)
    return answering


async def compose(world: World, **given: object) -> httpx.Response:
    async with world.client(Role.member) as client:
        return await client.post("/ai-assistant-system", json={**COMPOSER, **given})


def official(world: World, key: str = key_of(Role.member), **given: object) -> openai.AsyncOpenAI:
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(world.app.app), base_url="http://test")
    return openai.AsyncOpenAI(api_key=key, base_url="http://test/v1", http_client=client, max_retries=0, **given)  # type: ignore[arg-type]


async def used(world: World) -> tuple[int, int]:
    async with world.database.system() as connection:
        row = await connection.fetchrow("SELECT input_tokens, output_tokens, cost FROM ai_daily_usage")
    assert row is not None
    assert row["cost"] > 0
    return row["input_tokens"], row["output_tokens"]


async def test_the_composer_answers_in_the_published_form(world: World, model: Answering) -> None:
    model.answers = [DRAFT]
    answer = await compose(world, organization_id=OURS)
    assert answer.status_code == 201, answer.text
    assert json.loads(answer.json()["ai_response_content"]) == DRAFT
    assert model.infos[0].instructions == "You help a clerk."
    assert await used(world) == (answer.json()["input_tokens"], answer.json()["output_tokens"])


async def test_the_answer_has_the_shape_that_was_asked_for(world: World, model: Answering) -> None:
    model.answers = [{"mood": 3}, {"mood": "glad"}]
    answer = await compose(world, ai_schema={"mood": "string"})
    assert json.loads(answer.json()["ai_response_content"]) == {"mood": "glad"}
    assert len(model.asked) == 2


async def test_an_answer_that_never_fits_is_told_in_a_sentence(world: World, model: Answering) -> None:
    model.answers = [{"mood": 3}] * 4
    answer = await compose(world, ai_schema={"mood": "string"})
    assert (answer.status_code, answer.json()["data"]["code"]) == (503, "bad_answer")


async def test_a_key_of_the_organization_goes_before_the_installations(world: World, model: Answering) -> None:
    model.answers, model.keys = [DRAFT], {"system"}
    assert (await compose(world)).status_code == 201
    assert [config.connection for config in model.configs] == ["organization", "system"]
    model.keys = set()
    answer = await compose(world)
    assert (answer.status_code, answer.json()["data"]) == (422, {"code": "no_key"})


FAILURES = [
    (ModelAuthenticationError("m", "refused", body={"error": "key sk-secret"}), 422, "wrong_key"),
    (ModelRateLimitError("m", "slower"), 503, "rate_limited"),
    (ModelHTTPError(500, "m", None), 503, "provider_error"),
    (TimeoutError(), 503, "timeout"),
]


@pytest.mark.parametrize(("failure", "status", "code"), FAILURES, ids=["401", "429", "500", "timeout"])
async def test_a_failure_is_a_sentence_without_the_providers_words(
    world: World, model: Answering, failure: Exception, status: int, code: str
) -> None:
    model.answers = [failure]
    answer = await compose(world)
    assert (answer.status_code, answer.json()["data"]["code"]) == (status, code)
    assert "sk-secret" not in answer.text


WRONG = [
    ({"system_prompt": None}, "system_prompt"),
    ({"user_prompt": "x" * 200_001}, "user_prompt"),
    ({"source": "elsewhere"}, "source"),
    ({"ai_schema": {"a": 1}}, "ai_schema.a"),
    ({"ai_schema": []}, "ai_schema"),
    ({"temperature": 1}, "temperature"),
]


@pytest.mark.parametrize(("given", "path"), WRONG, ids=[path for _, path in WRONG])
async def test_bad_input_names_the_field(world: World, model: Answering, given: dict[str, object], path: str) -> None:
    answer = await compose(world, **given)
    assert answer.status_code == 400
    assert path in answer.json()["errors"]
    assert model.asked == []


async def test_nothing_is_asked_when_the_budget_of_the_day_is_used_up(world: World, model: Answering) -> None:
    async with world.database.system() as connection:
        await connection.execute("UPDATE organizations SET ai_daily_budget = 0.5 WHERE id = 1")
        await connection.execute(
            "INSERT INTO ai_daily_usage (organization_id, day, cost) VALUES (1, (now() AT TIME ZONE 'UTC')::date, 1)"
        )
    assert (await compose(world)).status_code == 429
    with pytest.raises(openai.RateLimitError):
        await official(world).chat.completions.create(model="default", messages=[{"role": "user", "content": "Hi"}])
    assert model.asked == []


# -- the official client ------------------------------------------------------------------------


async def test_the_official_client_gets_a_whole_answer(world: World, model: Answering) -> None:
    model.answers = ["Good morning."]
    answer = await official(world).chat.completions.create(
        model="default", temperature=0.2, max_tokens=50,
        messages=[
            {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": [{"type": "text", "text": "Morning"}]},
        ],
    )  # fmt: skip
    assert answer.choices[0].message.content == "Good morning."
    assert answer.usage is not None
    assert await used(world) == (answer.usage.prompt_tokens, answer.usage.completion_tokens)
    settings: ModelSettings = model.infos[0].model_settings or {}
    assert (settings.get("temperature"), settings.get("max_tokens"), len(model.asked[0])) == (0.2, 50, 3)


async def test_the_official_client_gets_a_stream_with_its_usage(world: World, model: Answering) -> None:
    model.answers = ["Good morning to you."]
    stream = await official(world).chat.completions.create(
        model="default",
        stream=True,
        stream_options={"include_usage": True},
        messages=[{"role": "user", "content": "Hi"}],
    )
    chunks = [chunk async for chunk in stream]
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces).strip() == "Good morning to you."
    assert len(pieces) > 3
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert await used(world) == (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens)


async def test_the_official_client_parses_a_schema(world: World, model: Answering) -> None:
    model.answers = [{"mood": "glad"}]
    schema = {"type": "object", "properties": {"mood": {"type": "string"}}, "required": ["mood"]}
    answer = await official(world).chat.completions.create(
        model="default", messages=[{"role": "user", "content": "Hi"}],
        response_format={"type": "json_schema", "json_schema": {"name": "mood", "schema": schema, "strict": True}},
    )  # fmt: skip
    assert json.loads(answer.choices[0].message.content or "") == {"mood": "glad"}


async def test_the_official_client_lists_the_models(world: World) -> None:
    ours, theirs = await world.row("ai-models"), await world.row("ai-models", 2)
    names = [model.id async for model in official(world).models.list()]
    assert names[0] == "default"
    assert f"model-{ours}" in names
    assert f"model-{theirs}" not in names
    assert (await official(world).models.retrieve(f"model-{ours}")).owned_by == "openai"
    with pytest.raises(openai.NotFoundError):
        await official(world).models.retrieve(f"model-{theirs}")


async def test_the_official_client_understands_each_refusal(world: World, model: Answering) -> None:
    hello = [{"role": "user", "content": "Hi"}]
    with pytest.raises(openai.AuthenticationError):
        await official(world, "fd_wrong").chat.completions.create(model="default", messages=hello)
    with pytest.raises(openai.NotFoundError):
        await official(world).chat.completions.create(model="model-999999", messages=hello)
    with pytest.raises(openai.BadRequestError) as caught:
        await official(world).chat.completions.create(model="gpt-4.1", messages=hello)
    assert caught.value.param == "model"
    with pytest.raises(openai.BadRequestError, match="tools is not a known field"):
        await official(world).chat.completions.create(model="default", messages=hello, tools=[])
    model.answers = [ModelHTTPError(500, "m", None)]
    with pytest.raises(openai.InternalServerError):
        await official(world).chat.completions.create(model="default", messages=hello, stream=True)


async def test_a_login_uses_it_as_well(world: World, model: Answering) -> None:
    async with world.client(None) as client:
        login = {"strategy": "local", "email": "member1@example.com", "password": "a long enough password"}
        token = (await client.post("/authentication", json=login)).json()["accessToken"]
    model.answers = ["Hello."]
    answer = await official(world, token).chat.completions.create(
        model="default", messages=[{"role": "user", "content": "Hi"}]
    )
    assert answer.choices[0].message.content == "Hello."
