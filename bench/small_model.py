"""Runs the published cases through the built-in model as the product does, and prints its figures.

    python -m bench.small_model [--only ID] [--verbose] [--write bench/SMALL_MODEL.md]

It starts the model's server itself. The tools are those of `bench/clinic.py`; prompt, grammar and guards are the
product's own. A turn counts from the customer's last message to the finished reply.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic_ai import Agent
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.usage import UsageLimits

from bench.clinic import CUSTOMER, Clinic
from frontdesk.core.clock import SystemClock
from frontdesk.core.egress import Guard
from frontdesk.core.settings import Settings
from frontdesk.models.fetch import fetch
from frontdesk.models.local.endpoint import StateFile
from frontdesk.models.local.engine import Engine, Tally
from frontdesk.models.local.model import LocalModel
from frontdesk.models.local.server import STATE_FILE
from frontdesk.models.local.text import digits, plain
from frontdesk.models.local.words import language_of

CAVEAT = (
    "Prompt and guards were tuned on these cases, so take the shares as an upper bound. Invented facts are counted by",
    'numbers that stand nowhere; a promise in words ("your appointment will be scheduled soon") is not found by this.',
)
CASES = Path(__file__).parent / "cases" / "dental.json"


Calls = list[tuple[str, dict[str, object]]]


@dataclass
class Case:
    """One published case: what the customer writes, and what must come of it."""

    id: str
    language: str
    customer: list[str]
    calls: list[dict[str, object]]
    assistant: list[str] = field(default_factory=list)
    verified: bool = False
    context: str = ""
    says: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    asks: bool = False
    optional: bool = False


@dataclass
class Outcome:
    case: Case
    reply: str
    calls: Calls
    seconds: float
    faults: list[str]

    def has(self, kind: str) -> bool:
        return any(fault.startswith(kind) for fault in self.faults)


class MeteredEngine(Engine):
    """The product's engine, with all its token counts added up."""

    total = Tally()

    async def write(self, messages, schema, tally):  # type: ignore[no-untyped-def]
        before = Tally(**{name: getattr(tally, name) for name in Tally.__slots__})
        async for text in super().write(messages, schema, tally):
            yield text
        for name in Tally.__slots__:
            setattr(self.total, name, getattr(self.total, name) + getattr(tally, name) - getattr(before, name))


def history(case: Case) -> list[ModelMessage]:
    messages: list[ModelMessage] = []
    for said, answered in zip(case.customer, case.assistant, strict=False):
        messages.append(ModelRequest(parts=[UserPromptPart(said)]))
        messages.append(ModelResponse(parts=[TextPart(answered)]))
    return messages


async def run_case(case: Case, business: str, model: LocalModel) -> Outcome:
    clinic = Clinic(case.verified)
    agent = Agent(model, instructions=business, toolsets=[clinic.toolset()], deps_type=Clinic)
    started = time.perf_counter()

    @agent.instructions
    def customer() -> str:
        return case.context

    result = await agent.run(
        case.customer[-1], message_history=history(case), deps=clinic, usage_limits=UsageLimits(request_limit=8)
    )
    seconds = time.perf_counter() - started
    calls = [
        (part.tool_name, part.args_as_dict())
        for message in result.new_messages()
        for part in message.parts
        if isinstance(part, ToolCallPart)
    ]
    results = str([part.content for m in result.new_messages() for part in m.parts if isinstance(part, ToolReturnPart)])
    said = " ".join([business, results, case.context, *case.customer, *case.assistant])
    return Outcome(case, result.output, calls, seconds, faults(case, result.output, calls, said))


def faults(case: Case, reply: str, calls: Calls, said: str) -> list[str]:
    found = []
    wanted = [str(call["tool"]) for call in case.calls]
    made = [tool for tool, _ in calls]
    changing = [tool for tool in made if tool.split("_")[0] in ("create", "update", "add")]
    if not case.optional and not all(tool in made for tool in wanted):
        found.append(f"tool: wanted {wanted}, made {made}")
    elif [tool for tool in changing if tool not in wanted]:
        found.append(f"tool: {changing} was not asked for")
    else:
        found.extend(f"arguments: {problem}" for call in case.calls if (problem := differs(call, calls)))
    if case.says and not any(plain(text, keep=".@") in plain(reply, keep=".@") for text in case.says):
        found.append(f"reply: says none of {case.says}")
    if case.asks and "?" not in reply:
        found.append("reply: does not ask")
    if re.search(r"(.{1,12}?)\1{5,}", reply):
        found.append("reply: repeats itself")
    if any(text in reply for text in case.never):
        found.append("invented: says what it must not")
    found.extend(f"invented: {number}" for number in invented_numbers(reply, said))
    if language_of([reply]) != case.language:
        found.append("language: another than the customer's")
    return found


def differs(call: dict[str, object], calls: Calls) -> str:
    """Empty when a made call of this tool has the wanted arguments; a note needs its key words."""
    wanted = dict(call["arguments"])  # type: ignore[call-overload]
    made = [arguments for tool, arguments in calls if tool == call["tool"]]
    for arguments in made:
        values = {k: v for k, v in arguments.items() if not (k == "contact_id" and v == CUSTOMER)}
        if "text" in wanted:
            if all(word in plain(str(values.get("text"))) for word in str(wanted["text"]).split()):
                return ""
        elif values.keys() == wanted.keys() and all(same(values[k], wanted[k]) for k in wanted):
            return ""
    return f"wanted {wanted}, made {made}" if made else ""


def same(one: object, other: object) -> bool:
    if len(digits(str(one))) > 5 and "@" not in str(one):
        return digits(str(one)) == digits(str(other))
    return plain(str(one)) == plain(str(other))


def invented_numbers(reply: str, said: str) -> list[str]:
    """Counted apart from the guards: digits of the reply that stand nowhere in what was said, looked up or noted."""
    known = digits(said)
    return [number for number in re.findall(r"\d+", reply.replace(",", "")) if number not in known]


def report(outcomes: list[Outcome], total: Tally) -> str:
    def share(kind: str, among: list[Outcome]) -> str:
        return f"{sum(not o.has(kind) for o in among)} of {len(among)}"

    rows = []
    for name, language in (("English", "en"), ("Spanish", "es")):
        among = [o for o in outcomes if o.case.language == language]
        calling = [o for o in among if o.case.calls and not o.has("tool")]
        rows.append(
            f"| {name} | {share('tool', among)} | {share('arguments', calling)} | {share('reply', among)} "
            f"| {sum(o.has('invented') for o in among)} | {share('language', among)} |"
        )
    seconds = sorted(o.seconds for o in outcomes)
    speed = total.output_tokens / max(total.writing_ms / 1000, 0.001)
    reading = (total.input_tokens - total.cached_tokens) / max(total.reading_ms / 1000, 0.001)
    return "\n".join(
        [
            f"# The built-in model on {len(outcomes)} published cases",
            "",
            f"`python -m bench.small_model`, {datetime.now(UTC):%Y-%m-%d}. Cases: `bench/cases/dental.json`.",
            "",
            "| | right tool | exact arguments | right reply | invented facts | right language |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
            f"Seconds for a turn: median {seconds[len(seconds) // 2]:.1f}, slowest {seconds[-1]:.1f}. "
            f"It writes {speed:.1f} tokens/s and reads {reading:.0f} tokens/s; "
            f"{total.cached_tokens / max(total.input_tokens, 1):.0%} of what it reads was kept from before.",
            f"The machine: {os.cpu_count()} cores, load average {os.getloadavg()[1]:.1f} while this ran.",
            "",
            *CAVEAT,
            "",
            "What went wrong:",
            "",
            *[f"- `{o.case.id}`: {'; '.join(o.faults)}" for o in outcomes if o.faults],
            "",
        ]
    )


async def measure(arguments: argparse.Namespace) -> None:
    data = json.loads(CASES.read_text())
    cases = [Case(**case) for case in data["cases"] if not arguments.only or arguments.only in case["id"]]
    clock = SystemClock()
    async with Guard.of((), allow_loopback=True, seconds=300).client() as client:
        engine = MeteredEngine(client, StateFile(arguments.state, clock), "built-in")
        model = LocalModel(engine, clock.now)
        outcomes = []
        for case in cases:
            outcome = await run_case(case, data["business"], model)
            outcomes.append(outcome)
            if arguments.verbose or outcome.faults:
                print(
                    f"{case.id:22} {outcome.seconds:5.1f}s {outcome.calls} -> {outcome.reply!r} {outcome.faults}",
                    flush=True,
                )
    text = report(outcomes, engine.total)
    print(text)
    if arguments.write:
        arguments.write.write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="cases whose id contains this")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--state", type=Path, help="a running server's state file")
    arguments = parser.parse_args()
    if arguments.state:
        asyncio.run(measure(arguments))
        return
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder))
        fetch(settings)
        arguments.state = Path(folder) / STATE_FILE
        server = subprocess.Popen(
            [sys.executable, "-m", "frontdesk", "model-server"], env={**os.environ, "FRONTDESK_DATA": folder}
        )
        try:
            asyncio.run(measure(arguments))
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
