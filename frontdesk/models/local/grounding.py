"""Checks a tool call against what was said: the small model invents optional arguments, ids and facts.

A value that nobody gave is dropped; an id comes from a tool's answer or the context, never from the model; dates are
worked out here; a required value that is then missing is asked for. A change whose every value was given by the
customer is done at once and repeated back to them afterwards (`receipt`); anything less certain is a question first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from frontdesk.models.local.dates import resolve
from frontdesk.models.local.evidence import SHORTEST_PHONE, Evidence
from frontdesk.models.local.shapes import Parameter, Tool
from frontdesk.models.local.text import digits, plain
from frontdesk.models.local.words import Phrases, ask_for
from frontdesk.models.transcript import Asked, Entry, Returned

Arguments = dict[str, object]
ENOUGH_OF_A_NOTE = 0.6


@dataclass(frozen=True, slots=True)
class Act:
    """Call the tool. `then` names the tool for whose id this looks."""

    tool: str
    arguments: Arguments
    then: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """Say this instead of calling."""

    text: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """The call was made in this turn already: the model shall answer now."""


Verdict = Act | Ask | Repeat


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges one proposed call."""

    tools: Sequence[Tool]
    evidence: Evidence
    turn: Sequence[Entry]
    phrases: Phrases
    now: datetime

    def judge(self, name: str, arguments: Mapping[str, object]) -> Verdict:
        tool = next((tool for tool in self.tools if tool.name == name), None)
        if tool is None:
            return Repeat()
        kept = {
            p.name: value
            for p in tool.parameters
            if (value := self._grounded(tool, p, arguments.get(p.name))) is not None
        }
        verdict = self._ask_for_change(tool, kept, arguments) or self._settle_ids(tool, kept)
        verdict = verdict or self._settle_rest(tool, kept)
        if isinstance(verdict, Act) and self._was_called(verdict):
            return Repeat()
        return verdict

    def _settle_ids(self, tool: Tool, kept: Arguments) -> Verdict | None:
        """A missing id is taken from the only row known, else looked up, else asked for."""
        for p in tool.parameters:
            # An optional id that is left out means the customer of this conversation.
            if p.kind != "id" or p.name in kept or not p.is_required:
                continue
            known = self.evidence.ids.get(p.noun, ())
            if len(known) != 1:
                return Ask(self.phrases.ask_which) if known else self._look_up(tool, p.noun)
            kept[p.name] = known[0]
        return None

    def _look_up(self, tool: Tool, noun: str) -> Verdict:
        for finder in self.tools:
            called = any(isinstance(entry, Asked) and entry.tool == finder.name for entry in self.turn)
            needs = any(p.is_required for p in finder.parameters)
            if finder.verb in ("find", "search", "list") and finder.noun == noun and not called and not needs:
                return Act(finder.name, {}, tool.name)
        return Ask(ask_for([noun], self.phrases))

    def _settle_rest(self, tool: Tool, kept: Arguments) -> Verdict:
        missing = [p.name for p in tool.parameters if p.is_required and p.name not in kept]
        if missing:
            return Ask(ask_for(missing, self.phrases))
        return Act(tool.name, kept)

    def _ask_for_change(self, tool: Tool, kept: Arguments, proposed: Mapping[str, object]) -> Verdict | None:
        """A change without a value that the customer gave: asks for what the model wanted to make up."""
        values = [p.name for p in tool.parameters if p.kind != "id"]
        if tool.is_reading or not values or any(name in kept for name in values):
            return None
        made_up = [name for name in values if proposed.get(name)]
        return Ask(ask_for(made_up, self.phrases) if made_up else self.phrases.ask_change)

    def _was_called(self, act: Act) -> bool:
        return any(
            isinstance(entry, Asked) and entry.tool == act.tool and entry.arguments == act.arguments
            for entry in self.turn
        )

    def _grounded(self, tool: Tool, p: Parameter, value: object) -> object | None:
        if value is None or value == "":
            return None
        match p.kind:
            case "id":
                return value if value in self.evidence.ids.get(p.noun, ()) else None
            case "number":
                number = value if isinstance(value, (int, float)) else None
                return number if number is not None and self.evidence.has_counted(float(number)) else None
            case "flag":
                return value if p.is_required else None
            case "choice":
                said = plain(str(value)) in self.evidence.words
                return value if said or p.is_required else None
            case "date":
                return self._date(str(value), p.format)
            case "group":
                return value if p.is_required else None
            case "free":
                return self._note(tool, str(value))
            case "text":
                return self._text(tool, p, str(value))

    def _text(self, tool: Tool, p: Parameter, value: str) -> str | None:
        told = self.evidence.told if tool.is_reading else self.evidence.written
        if (p.name == "email" and "@" not in value) or (p.name == "phone" and len(digits(value)) < SHORTEST_PHONE):
            return None
        if "@" in value:
            return value if self.evidence.has_email(value, told) else None
        if len(digits(value)) >= SHORTEST_PHONE:
            return value if self.evidence.has_number(value, told) else None
        words = self.evidence.grounded_words(value, told)
        if len(words) == len(value.split()):
            return value
        if not tool.is_reading:
            return None
        # A catalogue is searched in its own language, so a translated word may be right; a person's name may not.
        return " ".join(words) or (value if tool.verb == "search" else None)

    def _date(self, value: str, format_: str) -> str | None:
        """The day that the customer named; the model's own only if it is in the customer's words."""
        written = self.evidence.written
        said = (resolve(text, format_, self.now) for text in reversed(written))
        is_said = len(self.evidence.grounded_words(value, written)) == len(value.split())
        return (resolve(value, format_, self.now) if is_said else None) or next(filter(None, said), None)

    def _note(self, tool: Tool, value: str) -> str | None:
        """A note says what the customer said; a new one that strays from it is replaced by their own words."""
        words = [word for word in plain(value).split() if len(word) > 3]
        same = len(self.evidence.grounded_words(" ".join(words), self.evidence.written))
        if words and same >= ENOUGH_OF_A_NOTE * len(words):
            return value
        return self.evidence.last_words if tool.verb == "add" else None


def receipt(turn: Sequence[Entry], tools: Sequence[Tool], reply: str, phrases: Phrases) -> str:
    """The values of this turn's changes that the reply does not repeat, as one sentence; empty when it has them all."""
    changing = {tool.name: tool for tool in tools if not tool.is_reading}
    left: list[str] = []
    said = plain(reply)
    for asked, returned in pairwise(turn):
        if not isinstance(asked, Asked) or not isinstance(returned, Returned) or returned.is_error:
            continue
        tool = changing.get(asked.tool)
        for p in tool.parameters if tool else ():
            value = asked.arguments.get(p.name)
            text = str(value)
            repeated = plain(text) in said or (digits(text) and digits(text) in digits(reply))
            if p.kind in ("text", "number", "date") and value is not None and not repeated:
                left.append(text)
    return phrases.receipt.format(", ".join(left)) if left else ""


def as_json(arguments: Mapping[str, object]) -> str:
    return json.dumps(arguments, ensure_ascii=False, sort_keys=True)
