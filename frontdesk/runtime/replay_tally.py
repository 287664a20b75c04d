"""What a replay found: counts, reasons, and examples of each kind of change, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from frontdesk.core.errors import Json
from frontdesk.core.formats import iso_text
from frontdesk.runtime.replay_lane import Heard, Lane, Predicted, Result
from frontdesk.runtime.replay_reminder_tally import ReminderTally
from frontdesk.runtime.replay_reminders import Reminders
from frontdesk.runtime.sentences import explain

KINDS = ("answered_to_silent", "silent_to_answered", "handed_over_gained", "handed_over_lost")
MOST_EXAMPLES = 100  # of each kind
_PATHS = {"ticket": "support-tickets", "ai-chat": "ai-chat-sessions"}


def kind_of(recorded: Result, predicted: Result) -> str | None:
    """The kind of a change. A failed model's fixed line counts as an answer that the draft would not have given."""
    if recorded == predicted:
        return None
    if predicted == "handed_over":
        return "handed_over_gained"
    if recorded == "handed_over":
        return "handed_over_lost"
    return "answered_to_silent" if predicted == "silent" else "silent_to_answered"


@dataclass(slots=True)
class Change:
    """One kind of change. `after_handoff` are inbounds that only follow from a hand-off which the draft makes."""

    inbounds: int = 0
    conversations: int = 0
    after_handoff: int = 0
    examples: list[Json] = field(default_factory=list)
    last_conversation: int = 0

    def as_json(self) -> dict[str, Json]:
        return {
            "inbounds": self.inbounds, "conversations": self.conversations, "after_handoff": self.after_handoff,
            "examples": self.examples,
        }  # fmt: skip


@dataclass(slots=True)
class Tally:
    """`viewer_id` is who asks: what somebody else alone may see is counted and never shown."""

    viewer_id: int | None = None
    inbounds: int = 0
    conversations: int = 0
    unjudged: int = 0
    recorded: Counter[str] = field(default_factory=Counter)
    predicted: Counter[str] = field(default_factory=Counter)
    results: dict[str, Counter[str]] = field(default_factory=lambda: {"recorded": Counter(), "draft": Counter()})
    changes: dict[str, Change] = field(default_factory=lambda: {kind: Change() for kind in KINDS})
    reminders: ReminderTally = field(default_factory=ReminderTally)

    def replay(self, lane: Lane, heard: Sequence[Heard], reminders: Reminders | None = None) -> None:
        """One conversation; its inbounds in any order. Those that were decided together are judged together."""
        self.conversations += 1
        group: list[Heard] = []
        for inbound in sorted(heard, key=lambda each: (each.at, each.message_id)):
            if group and not inbound.is_decided_with(group[-1]):
                self._hear(lane, group, reminders)
                group = []
            group.append(inbound)
        if group:
            self._hear(lane, group, reminders)
            if reminders is not None:
                self.reminders.count(group[0].conversation_id, path_of(group[0]), reminders)

    def _hear(self, lane: Lane, group: Sequence[Heard], reminders: Reminders | None) -> None:
        if reminders is not None:
            reminders.arrive(group)
        found = lane.hear(group)
        self._count(group, found)
        if reminders is not None:
            last = group[-1]
            reminders.follow(last, found.result or last.result, found.reason or last.reason, lane)

    def _count(self, group: Sequence[Heard], found: Predicted) -> None:
        for heard in group:
            self.inbounds += 1
            self.unjudged += not found.is_judged
            result = found.result or heard.result
            reason = found.reason if found.result is not None else heard.reason
            if result == heard.result == "answered":
                reason = heard.reason
            self.recorded[heard.reason] += 1
            self.predicted[reason] += 1
            self.results["recorded"][heard.result] += 1
            self.results["draft"][result] += 1
            if (kind := kind_of(heard.result, result)) is not None:
                self._change(self.changes[kind], heard, result, reason, found)

    def _change(self, change: Change, heard: Heard, result: Result, reason: str, found: Predicted) -> None:
        change.inbounds += 1
        change.after_handoff += found.is_after_handoff
        change.conversations += heard.conversation_id != change.last_conversation
        change.last_conversation = heard.conversation_id
        is_hidden = heard.private_to is not None and heard.private_to != self.viewer_id
        if len(change.examples) < MOST_EXAMPLES and not is_hidden:
            change.examples.append(_example(heard, result, reason, found))

    def as_json(self) -> dict[str, Json]:
        reasons = sorted(self.recorded.keys() | self.predicted.keys())
        return {
            "inbounds": self.inbounds,
            "conversations": self.conversations,
            "not_judged": self.unjudged,
            "unchanged": self.inbounds - sum(change.inbounds for change in self.changes.values()),
            "results": {
                side: {result: counts[result] for result in ("answered", "silent", "handed_over", "failed")}
                for side, counts in self.results.items()
            },
            "changes": {kind: change.as_json() for kind, change in {**self.changes, **self.reminders.changes}.items()},
            "reminders": self.reminders.as_json(),
            "reasons": [
                {"reason": reason, "recorded": self.recorded[reason], "draft": self.predicted[reason]}
                for reason in reasons
            ],
        }


def path_of(heard: Heard) -> str:
    return _PATHS.get(heard.kind, "conversations")


def _example(heard: Heard, result: Result, reason: str, found: Predicted) -> dict[str, Json]:
    decision = found.decision
    facts = decision.decisive.verdict.facts if decision is not None and decision.decisive is not None else {}
    english, spanish = explain(reason, facts, "ENG"), explain(reason, facts, "ESP")
    return {
        "conversation_id": heard.conversation_id,
        "message_id": heard.message_id,
        "conversation": f"/{path_of(heard)}/{heard.conversation_id}",
        "decision": f"/ai-decisions?message_id={heard.message_id}",
        "decided_at": iso_text(heard.at),
        "recorded": {"result": heard.result, "reason": heard.reason, "config_version": heard.version},
        "draft": {
            "result": result, "reason": reason, "gate": decision.gate if decision else None,
            "config_path": decision.config_path if decision else None,
        },
        "sentence": english.why,
        "sentence_es": spanish.why,
        "would_change": english.would_change,
        "would_change_es": spanish.would_change,
        "is_after_handoff": found.is_after_handoff,
    }  # fmt: skip


def tools_json(now: Sequence[Json], draft: Sequence[Json]) -> dict[str, Json]:
    """The names of the tools that the model would be offered more, and no more."""
    before, after = {str(name) for name in now}, {str(name) for name in draft}
    return {"gained": cast(Json, sorted(after - before)), "lost": cast(Json, sorted(before - after))}
