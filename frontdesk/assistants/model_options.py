"""Which of the options that steer a model a provider's model takes. What it does not take is left out of the request.

The same judgement is made twice: when an assistant is saved, by the model's name (a warning), and when the model is
asked, by what the library knows of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from frontdesk.assistants.advanced_options import AdvancedOptions, Effort

Sampling = Literal["always", "resting", "never"]
MOST_OF_CONTEXT = 2  # an answer takes at most half of the context: the prompt and the history need the rest

_OPENAI_REASONS = re.compile(r"o\d|gpt-([5-9]|\d\d)(?!.*-chat)")
_OPENAI_ALWAYS = re.compile(r"o\d|gpt-5(-|$)|.*-astra|gpt-6\.1-sol")
_OPENAI_RESTING = re.compile(r"gpt-5\.[1-4](-|$)")
_CLAUDE = re.compile(r"claude-([a-z]+)-(\d+)(?:[.-](\d)(?!\d))?")
_GEMINI_PLAIN = re.compile(r"gemini-(1|2\.0)")


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of a model. `samples`: whether it takes temperature and top_p, `resting` only while it does not
    reason. `reasons` None: nobody knows, so an effort is sent as it is."""

    provider: str
    samples: Sampling = "always"
    reasons: bool | None = True
    reasons_by_default: bool = False
    reasons_always: bool = False
    takes_limit: bool = True
    takes_parallel: bool = True
    most_temperature: float = 2


@dataclass(frozen=True, slots=True)
class Sent:
    """The options as a request carries them; None leaves the choice to the provider."""

    temperature: float | None = None
    top_p: float | None = None
    max_output_tokens: int | None = None
    reasoning_effort: Effort | None = None
    one_call_at_a_time: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An option that is not sent as it stands, and why."""

    option: str
    sentence: str


def traits_by_name(provider: str, model: str) -> Traits | None:
    """What a model's name tells; None where it tells nothing (the installation's default can be any model)."""
    if provider == "openai":
        return openai_traits(provider, model)
    if provider == "openai_compatible":
        # A server of one's own may serve anything; only names of OpenAI's are known to be reasoning models.
        known = openai_traits(provider, model)
        return known if known.reasons else Traits(provider, reasons=None)
    if provider == "anthropic":
        found = _CLAUDE.match(model)
        family, major, minor = (found[1], int(found[2]), int(found[3] or 0)) if found else ("", 0, 0)
        is_new = major >= 5 or (family == "opus" and (major, minor) >= (4, 7))
        return Traits(provider, samples="never" if is_new else "resting", most_temperature=1)
    if provider == "google":
        return Traits(provider, reasons=not _GEMINI_PLAIN.match(model), takes_parallel=False)
    if provider in ("local", "scripted"):
        return Traits(provider, samples="never", reasons=False, takes_limit=False, takes_parallel=False)
    return None


def openai_traits(provider: str, model: str) -> Traits:
    if not _OPENAI_REASONS.match(model):
        return Traits(provider, reasons=False)
    is_always = bool(_OPENAI_ALWAYS.match(model))
    return Traits(
        provider, samples="never" if is_always else "resting", reasons_always=is_always,
        reasons_by_default=is_always or not _OPENAI_RESTING.match(model),
    )  # fmt: skip


def judge(options: AdvancedOptions, traits: Traits, context_length: int | None) -> tuple[Sent, tuple[LeftOut, ...]]:
    """What is sent of `options`, and what is not. Pure; `context_length` is in tokens."""
    left_out = {entry.option: entry for entry in _left_out(options, traits)}
    most = None if context_length is None else context_length // MOST_OF_CONTEXT
    limit = options.max_output_tokens if traits.takes_limit else None
    if limit is not None and most is not None and limit > most:
        sentence = f"is more than half of the model's context ({context_length} tokens); {most} is sent"
        left_out["max_output_tokens"] = LeftOut("max_output_tokens", sentence)
        limit = most
    temperature = options.temperature
    if temperature is not None and temperature > traits.most_temperature and "temperature" not in left_out:
        sentence = f"is at most {traits.most_temperature:g} for this provider, and sent as that"
        left_out["temperature"] = LeftOut("temperature", sentence)
        temperature = traits.most_temperature
    elif "temperature" in left_out:
        temperature = None
    sent = Sent(
        temperature=temperature,
        top_p=None if "top_p" in left_out else options.top_p,
        max_output_tokens=limit,
        reasoning_effort=None if "reasoning_effort" in left_out else options.reasoning_effort,
        one_call_at_a_time=not options.parallel_tool_calls and traits.takes_parallel,
    )
    return sent, tuple(left_out.values())


def _left_out(options: AdvancedOptions, traits: Traits) -> Iterator[LeftOut]:
    is_reasoning = traits.reasons is not False and _is_reasoning(options.reasoning_effort, traits)
    for name in ("temperature", "top_p"):
        if getattr(options, name) is None:
            continue
        if traits.samples == "never":
            yield LeftOut(name, "is not sent: this model does not take it")
        elif traits.samples == "resting" and is_reasoning:
            yield LeftOut(name, "is not sent: this model does not take it while it reasons")
        elif name == "top_p" and traits.provider == "anthropic" and options.temperature is not None:
            yield LeftOut(name, "is not sent: this provider takes temperature or top_p, not both")
    if options.reasoning_effort not in (None, "none") and traits.reasons is False:
        yield LeftOut("reasoning_effort", "is not sent: this model has no such choice")
    if options.max_output_tokens is not None and not traits.takes_limit:
        yield LeftOut("max_output_tokens", "is not sent: this model bounds its answers itself")
    if not options.parallel_tool_calls and not traits.takes_parallel:
        sentence = "cannot be told to this provider; calls that come together run one after another"
        yield LeftOut("parallel_tool_calls", sentence)


def _is_reasoning(effort: Effort | None, traits: Traits) -> bool:
    if traits.reasons_always:
        return True
    return traits.reasons_by_default if effort is None else effort != "none"
