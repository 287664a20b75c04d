"""`advanced_options` as the settings of one request, by what the library knows of the model."""

from __future__ import annotations

from typing import cast

from pydantic_ai.models import Model
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.settings import ModelSettings, ThinkingLevel

from frontdesk.assistants.advanced_options import AdvancedOptions
from frontdesk.assistants.model_options import Sent, Traits, judge, traits_by_name

# Tokens of reasoning that older models of Anthropic's count into the limit of the answer, by effort (the library's
# budgets); without room for them the provider refuses the request.
THINKING_BUDGETS = {"minimal": 1_024, "low": 2_048, "medium": 10_000, "high": 16_384, "xhigh": 32_768, "max": 32_768}


def settings_of(
    options: AdvancedOptions, provider: str, model: Model, context_length: int | None
) -> ModelSettings | None:
    """What a request to `model` carries; None where nothing is asked for."""
    sent, _ = judge(options, traits_of(provider, model.model_name, model.profile), context_length)
    settings: ModelSettings = {}
    if sent.temperature is not None:
        settings["temperature"] = sent.temperature
    if sent.top_p is not None:
        settings["top_p"] = sent.top_p
    if sent.max_output_tokens is not None:
        settings["max_tokens"] = sent.max_output_tokens + _thinking_budget(sent, provider, model.profile)
    if sent.one_call_at_a_time:
        # True is every provider's default, and some models refuse to be told.
        settings["parallel_tool_calls"] = False
    if sent.reasoning_effort is not None:
        settings = {**settings, **_effort(sent.reasoning_effort, provider)}
    return settings or None


def traits_of(provider: str, name: str, profile: ModelProfile) -> Traits:
    """By the library's profile of the model; a server of one's own and our own models by what we know."""
    by_name = traits_by_name(provider, name) or Traits(provider)
    known = cast("dict[str, object]", profile)
    if provider in ("openai", "openai_compatible"):
        if not known.get("openai_supports_reasoning"):
            return Traits(provider, reasons=False if provider == "openai" else None)
        efforts = cast("frozenset[str] | None", known.get("openai_reasoning_efforts"))
        rests = "none" in efforts if efforts is not None else bool(known.get("openai_supports_reasoning_effort_none"))
        return Traits(
            provider, samples="resting" if rests else "never",
            reasons_by_default=bool(known.get("thinking_enabled_by_default")),
            reasons_always=bool(known.get("thinking_always_enabled")),
        )  # fmt: skip
    if provider == "anthropic":
        samples = "never" if known.get("anthropic_disallows_sampling_settings") else "resting"
        return Traits(provider, samples=samples, most_temperature=1)  # type: ignore[arg-type]
    if provider == "google":
        return Traits(provider, reasons=bool(known.get("supports_thinking")), takes_parallel=False)
    return by_name


def _effort(effort: str, provider: str) -> ModelSettings:
    if provider == "openai_compatible":
        # The library would drop it for a model whose name it does not know.
        return cast(ModelSettings, {"openai_reasoning_effort": effort})
    level = False if effort == "none" else effort
    return {"thinking": cast(ThinkingLevel, level)}


def _thinking_budget(sent: Sent, provider: str, profile: ModelProfile) -> int:
    known = cast("dict[str, object]", profile)
    if provider != "anthropic" or known.get("anthropic_supports_adaptive_thinking"):
        return 0
    return THINKING_BUDGETS.get(sent.reasoning_effort or "", 0)
