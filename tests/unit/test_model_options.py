"""Which options a model takes: by its name as by what the library knows of it."""

from collections.abc import Iterator

import pytest
from pydantic_ai.models import Model, known_model_names
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.anthropic import ANTHROPIC_THINKING_BUDGET_MAP
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from frontdesk.assistants.advanced_options import AdvancedOptions
from frontdesk.assistants.model_options import judge, traits_by_name
from frontdesk.models.request_settings import THINKING_BUDGETS, settings_of, traits_of

ALL = {
    "temperature": 0.4, "top_p": 0.9, "max_output_tokens": 500, "reasoning_effort": "low", "parallel_tool_calls": False,
}  # fmt: skip
OLDER = [
    "openai:gpt-4o-mini", "openai:gpt-4.1", "openai:o3", "openai:o4-mini", "openai:gpt-5", "openai:gpt-5-mini",
    "openai:gpt-5.1", "openai:gpt-5.4", "openai:gpt-5-chat-latest", "anthropic:claude-opus-4-7",
    "anthropic:claude-opus-4-1", "anthropic:claude-3-5-haiku-latest", "anthropic:claude-sonnet-4-20250514",
    "google:gemini-2.0-flash", "google:gemini-2.5-pro",
]  # fmt: skip


def made(provider: str, name: str) -> Model:
    if provider == "openai":
        return OpenAIChatModel(name, provider=OpenAIProvider(api_key="x"))
    if provider == "anthropic":
        return AnthropicModel(name, provider=AnthropicProvider(api_key="x"))
    if provider == "google":
        return GoogleModel(name, provider=GoogleProvider(api_key="x"))
    server = OpenAICompatibleProvider("own", base_url="http://127.0.0.1:1/v1", api_key="x")
    return OpenAIChatModel(name, provider=server)


def known() -> Iterator[str]:
    yield from (n for n in known_model_names() if n.partition(":")[0] in ("openai", "anthropic", "google"))
    yield from OLDER


def options(**fields: object) -> AdvancedOptions:
    return AdvancedOptions.model_validate(fields)


EACH = [ALL, {**ALL, "reasoning_effort": None}, {**ALL, "reasoning_effort": "none"}]


@pytest.mark.parametrize("name", sorted(set(known())))
def test_the_name_tells_what_the_library_knows(name: str) -> None:
    provider, _, model = name.partition(":")
    by_name, by_library = traits_by_name(provider, model), traits_of(provider, model, made(provider, model).profile)
    assert by_name is not None
    for chosen in EACH:
        assert judge(options(**chosen), by_name, None) == judge(options(**chosen), by_library, None)


SENT = [
    ("openai", "gpt-4.1", {"temperature": 0.4, "top_p": 0.9, "max_tokens": 500, "parallel_tool_calls": False}),
    ("openai", "gpt-5.1", {"max_tokens": 500, "parallel_tool_calls": False, "thinking": "low"}),
    ("anthropic", "claude-sonnet-5-5", {"max_tokens": 500, "parallel_tool_calls": False, "thinking": "low"}),
    ("anthropic", "claude-haiku-4-5", {"max_tokens": 2548, "parallel_tool_calls": False, "thinking": "low"}),
    ("google", "gemini-3.8-flash", {"temperature": 0.4, "top_p": 0.9, "max_tokens": 500, "thinking": "low"}),
    (
        "openai_compatible", "llama-3.3-70b",
        {"temperature": 0.4, "top_p": 0.9, "max_tokens": 500, "parallel_tool_calls": False,
         "openai_reasoning_effort": "low"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "name", "settings"), SENT)
def test_a_request_carries_what_its_model_takes(provider: str, name: str, settings: dict[str, object]) -> None:
    assert settings_of(options(**ALL), provider, made(provider, name), None) == settings


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google", "openai_compatible"])
def test_nothing_chosen_is_nothing_sent(provider: str) -> None:
    assert settings_of(options(), provider, made(provider, "some-model"), 8_000) is None


def test_an_answer_takes_at_most_half_of_the_context() -> None:
    model = made("openai_compatible", "m")
    assert settings_of(options(max_output_tokens=5_000), "openai_compatible", model, 4_096) == {"max_tokens": 2_048}


def test_no_effort_is_an_effort_of_its_own() -> None:
    assert settings_of(options(reasoning_effort="none"), "openai", made("openai", "gpt-5.1"), None) == {
        "thinking": False
    }


def test_a_temperature_that_is_too_high_is_sent_as_the_highest() -> None:
    model = made("anthropic", "claude-haiku-4-5")
    assert settings_of(options(temperature=1.5), "anthropic", model, None) == {"temperature": 1}


def test_room_for_reasoning_is_what_the_library_asks_for() -> None:
    assert {effort: ANTHROPIC_THINKING_BUDGET_MAP[effort] for effort in THINKING_BUDGETS} == THINKING_BUDGETS  # type: ignore[index]


def test_the_installations_default_can_be_any_model() -> None:
    assert traits_by_name("installation", "default") is None


@pytest.mark.parametrize("provider", ["local", "scripted"])
def test_our_own_models_decide_for_themselves(provider: str) -> None:
    traits = traits_by_name(provider, "any")
    assert traits is not None
    _, left_out = judge(options(**ALL), traits, None)
    assert {entry.option for entry in left_out} == ALL.keys()
