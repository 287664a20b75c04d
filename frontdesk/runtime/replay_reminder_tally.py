"""What a replay found about reminders: how each side ended, why, and the conversations that would differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from frontdesk.assistants.follow_up_words import PREFIX, Language
from frontdesk.core.errors import Json
from frontdesk.runtime.follow_up_checks import RULES
from frontdesk.runtime.replay_reminders import GONE, NOT_ANSWERED, Recorded, Reminder, Reminders
from frontdesk.runtime.sentences import Explanation, explain

KINDS = ("reminded_gained", "reminded_lost")
STATES = ("sent", "cancelled", "failed", "waiting")
MOST_EXAMPLES = 100  # of each kind
# Words of a replay alone: nothing of this kind ever stands in a decision.
_WORDS: dict[str, dict[Language, tuple[str, str]]] = {
    "sent": {
        "ENG": ("It would have been sent: the customer had not answered.", "Nothing has to change."),
        "ESP": ("Se habría enviado: el cliente no había respondido.", "No hay nada que cambiar."),
    },
    NOT_ANSWERED: {
        "ENG": (
            "No reminder: the draft would not have given the answer that it follows.",
            "It would be sent if the draft answered there.",
        ),
        "ESP": (
            "Sin recordatorio: el borrador no habría dado la respuesta a la que sigue.",
            "Se enviaría si el borrador respondiera ahí.",
        ),
    },
    "waiting": {
        "ENG": ("Not yet: it would be due after the end of the period.", "It would be sent with a longer period."),
        "ESP": ("Aún no: vencería después del final del periodo.", "Se enviaría con un periodo más largo."),
    },
}


@dataclass(slots=True)
class Change:
    """Conversations that would be reminded, or no longer; `reminders` are those that make the difference."""

    conversations: int = 0
    reminders: int = 0
    examples: list[Json] = field(default_factory=list)

    def as_json(self) -> dict[str, Json]:
        return {"conversations": self.conversations, "reminders": self.reminders, "examples": self.examples}


@dataclass(slots=True)
class ReminderTally:
    recorded: Counter[str] = field(default_factory=Counter)
    draft: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=lambda: {"recorded": Counter(), "draft": Counter()})
    changes: dict[str, Change] = field(default_factory=lambda: {kind: Change() for kind in KINDS})

    def count(self, conversation_id: int, path: str, found: Reminders) -> None:
        """One conversation, whole."""
        recorded, draft = found.recorded, found.finish()
        for side, counts, rows in (("recorded", self.recorded, recorded), ("draft", self.draft, draft)):
            for one in rows:
                counts[one.status] += 1
                if one.reason is not None:
                    self.reasons[side][one.reason] += 1
        was = [one for one in recorded if one.status == "sent"]
        would = [one for one in draft if one.status == "sent"]
        where: dict[str, Json] = {"conversation_id": conversation_id, "conversation": f"/{path}/{conversation_id}"}
        if would and not was:
            self._change("reminded_gained", len(would), where | _gained(would[0], recorded))
        elif was and not would:
            self._change("reminded_lost", len(was), where | _lost(was[0], draft, found.answered))

    def _change(self, kind: str, reminders: int, example: dict[str, Json]) -> None:
        change = self.changes[kind]
        change.conversations += 1
        change.reminders += reminders
        if len(change.examples) < MOST_EXAMPLES:
            change.examples.append(example)

    def as_json(self) -> dict[str, Json]:
        reasons = sorted(self.reasons["recorded"].keys() | self.reasons["draft"].keys())
        return {
            "recorded": {state: self.recorded[state] for state in STATES},
            "draft": {state: self.draft[state] for state in STATES},
            "reasons": [
                {"reason": reason, "recorded": self.reasons["recorded"][reason], "draft": self.reasons["draft"][reason]}
                for reason in reasons
            ],
        }


def _gained(first: Reminder, recorded: Sequence[Recorded]) -> dict[str, Json]:
    """The first reminder that nobody got."""
    same = next((one for one in recorded if (one.turn_id, one.rule_id) == (first.turn_id, first.rule_id)), None)
    return {
        "rule_id": first.rule_id, "mode": first.mode, "answered_at": _iso(first.answered_at), "at": _iso(first.at),
        "recorded": {"status": same.status if same else None, "reason": same.reason if same else None},
        "draft": {"status": "sent", "reason": None, "config_path": RULES},
        **_sentences("sent", {}),
    }  # fmt: skip


def _lost(first: Recorded, draft: Sequence[Reminder], answered: Collection[int]) -> dict[str, Json]:
    """The draft's word on the very reminder, or why it would have had none."""
    same = next((one for one in draft if (one.turn_id, one.rule_id) == (first.turn_id, first.rule_id)), None)
    if same is not None:
        reason, path = same.reason or same.status, same.config_path
    else:
        reason, path = (GONE, RULES) if first.turn_id in answered else (NOT_ANSWERED, None)
    return {
        "rule_id": first.rule_id, "mode": first.mode, "answered_at": _iso(first.answered_at),
        "at": _iso(first.ended_at or first.due_at), "recorded": {"status": "sent", "reason": None},
        "draft": {"status": same.status if same else None, "reason": reason, "config_path": path},
        **_sentences(reason, same.facts if same else {}),
    }  # fmt: skip


def _sentences(reason: str, facts: Mapping[str, Json]) -> dict[str, Json]:
    pair = _WORDS.get(reason)
    english = Explanation(*pair["ENG"]) if pair else explain(PREFIX + reason, facts, "ENG")
    spanish = Explanation(*pair["ESP"]) if pair else explain(PREFIX + reason, facts, "ESP")
    return {
        "sentence": english.why, "sentence_es": spanish.why, "would_change": english.would_change,
        "would_change_es": spanish.would_change,
    }  # fmt: skip


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
