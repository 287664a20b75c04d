"""Who may speak: the ordered gates of `decide`. Each is a pure function of (configuration, facts, time).

The first *stop* ends the evaluation; a *mute* lets the turn run and keeps everything from the customer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pydantic_core import to_jsonable_python

from frontdesk.assistants.config import AssistantConfig, Language
from frontdesk.assistants.schedule import Opening, opening
from frontdesk.core.errors import Json
from frontdesk.runtime.budget import AssistantSpent, Spent, local_day, subject_of
from frontdesk.runtime.facts import Facts
from frontdesk.runtime.handoff_rules import Match, first_match
from frontdesk.runtime.prompt import fixed_line
from frontdesk.runtime.sentences import Explanation, explain

Effect = Literal["pass", "stop", "mute"]
Outcome = Literal["answer", "analyse", "message", "silence", "handoff"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one gate said: its effect, the reason's code, the facts it looked at, the setting that made it so.

    `line` is a fixed text for the customer that goes with a stop; `hands_over` is the rule by which the stop gives the
    conversation to a person, with what it matched. `leaves`: nobody has the conversation any more.
    """

    effect: Effect
    code: str
    facts: dict[str, Json] = field(default_factory=dict)
    config_path: str | None = None
    line: str | None = None
    hands_over: Match | None = None
    leaves: bool = False


Gate = Callable[[AssistantConfig | None, Facts, datetime], Verdict]


@dataclass(frozen=True, slots=True)
class Tried:
    gate: str
    verdict: Verdict

    def as_json(self) -> dict[str, Json]:
        """The shape of one entry of `ai_decisions.gates`."""
        said = self.verdict
        return {"gate": self.gate, "effect": said.effect, "reason": said.code, "facts": said.facts,
                "config_path": said.config_path}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about an inbound, and why: `answer`, `analyse` (run muted), `message` (`line`), `silence`,
    `handoff` to a person."""

    outcome: Outcome
    tried: tuple[Tried, ...]
    decisive: Tried | None  # None: every gate passed
    config_version: int | None
    line: str | None = None
    facts: Facts = field(default_factory=Facts)

    @property
    def reason(self) -> str:
        return self.decisive.verdict.code if self.decisive else "all_gates_passed"

    @property
    def gate(self) -> str | None:
        return self.decisive.gate if self.decisive else None

    @property
    def config_path(self) -> str | None:
        return self.decisive.verdict.config_path if self.decisive else None

    @property
    def leaves(self) -> bool:
        """Nobody has the conversation any more."""
        return self.decisive is not None and self.decisive.verdict.leaves

    def explain(self, language: Language = "ENG") -> Explanation:
        """The decision in plain words, with what would have to change."""
        return explain(self.reason, self.decisive.verdict.facts if self.decisive else {}, language)

    def gates_json(self) -> list[Json]:
        return [tried.as_json() for tried in self.tried]


def blocked(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
    """A blocked contact gets nothing, nor does a member who asked in a staff chat and is none any more."""
    if facts.is_staff_chat and not facts.asker_is_member:
        return Verdict("stop", "asker_removed", {"asker_is_member": False})
    seen: dict[str, Json] = {"blocked": facts.is_blocked}
    return Verdict("stop", "contact_blocked", seen) if facts.is_blocked else Verdict("pass", "not_blocked", seen)


def closed(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
    """What waited when the case was closed is not answered any more; a new message would have opened it again."""
    seen: dict[str, Json] = {"closed": facts.is_closed}
    return Verdict("stop", "conversation_closed", seen) if facts.is_closed else Verdict("pass", "open", seen)


def person(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
    """A person who owns the conversation is not talked over."""
    seen: dict[str, Json] = {"assigned_user_id": facts.assigned_user_id}
    taken = facts.assigned_user_id is not None
    return Verdict("stop", "owner_is_person", seen) if taken else Verdict("pass", "no_person", seen)


def auto_assignment(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
    """Switched off, it stops only a conversation without an owner."""
    seen: dict[str, Json] = {
        "ai_auto_assignment_disabled": facts.is_auto_assignment_disabled,
        "ai_auto_assignment_disabled_reason": facts.auto_assignment_disabled_reason,
        "assigned_ai_assistant_id": facts.assigned_ai_assistant_id,
    }
    if facts.is_auto_assignment_disabled and facts.assigned_ai_assistant_id is None:
        return Verdict("stop", "auto_assignment_disabled", seen)
    return Verdict("pass", "assignment_allowed", seen)


def assistant(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
    """There must be an assistant, and it must not be deleted."""
    seen: dict[str, Json] = {"assigned_ai_assistant_id": facts.assigned_ai_assistant_id}
    if config is None:
        return Verdict("stop", "no_assistant", seen | {"owner_reason": facts.owner_reason})
    if config.deleted_at is not None:
        return Verdict("stop", "assistant_deleted", seen | {"name": config.name}, "deleted_at")
    return Verdict("pass", "assistant_on", seen | {"name": config.name})


def schedule(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
    """Outside the hours: a message (at most once in `once_per_hours`), silence, or an answer all the same."""
    if config is None:
        return Verdict("pass", "no_schedule")
    if config.assistant_type == "ai-chat":
        # Its hours are those of the customers; a member who asks at night is at work.
        return Verdict("pass", "no_schedule", {"assistant_type": config.assistant_type}, "assistant_type")
    found = opening(config.schedule, config.timezone, now)
    seen = opening_facts(found, config)
    if found.is_open:
        return Verdict("pass", "in_schedule", seen, found.config_path)
    rule = config.schedule.out_of_schedule
    seen |= {"action": rule.action}
    if rule.action == "reply":
        return Verdict("pass", "out_of_schedule_reply", seen, "schedule_config.out_of_schedule.action")
    if rule.action == "handoff" and config.human_handoff.enabled:
        path = "schedule_config.out_of_schedule.action"
        return Verdict("stop", "out_of_schedule_handoff", seen, path, hands_over=Match("out_of_schedule"))
    if rule.action == "silent" or not rule.message:
        # Without a hand-off that is switched on there is nobody to give it to.
        return Verdict("stop", "out_of_schedule", seen, found.config_path)
    since = facts.schedule_message_at
    # The mute gate comes later, and a stop ends the evaluation, so silent mode is honoured here as well.
    if config.disable_reply:
        return Verdict("stop", "out_of_schedule_muted", seen | {"disable_reply": True}, found.config_path)
    if since is not None and now - since < timedelta(hours=rule.once_per_hours):
        seen |= {"message_sent_at": since.isoformat(), "once_per_hours": rule.once_per_hours}
        return Verdict("stop", "out_of_schedule_told", seen, found.config_path)
    return Verdict("stop", "out_of_schedule_message", seen, found.config_path, rule.message)


def opening_facts(found: Opening, config: AssistantConfig) -> dict[str, Json]:
    return {
        "why": found.why,
        "local_time": found.at.strftime("%Y-%m-%dT%H:%M"),
        "weekday": found.at.weekday(),
        "timezone": config.timezone,
        "ranges": [list(pair) for pair in found.ranges],
        "next_opening": found.next_opening.isoformat() if found.next_opening else None,
    }


def budget(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
    """The organization's model budget of the day, in money and in tokens: ends as the assistant's own limits do."""
    spent = Spent(facts.cost_today, facts.tokens_today, facts.daily_cost_limit, facts.daily_token_limit)
    passed = spent.passed()
    if passed is None:
        return Verdict("pass", "in_budget", spent.facts())
    return _at_limit(config, facts, now, spent.facts(), Limit(f"budget_{passed}", None, "UTC"))


def assistant_budget(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
    """The assistant's own limits: the conversation goes to a person, or the customer reads one line a day."""
    if config is None or not config.options.budget.is_limited:
        return Verdict("pass", "no_limits_of_its_own")
    limits, spent = config.options.budget, AssistantSpent(facts.conversation_cost, facts.assistant_cost_today)
    seen, member = spent.facts(limits, config.timezone), spent.passed(limits)
    if member is None:
        return Verdict("pass", "within_its_limits", seen)
    limit = Limit(subject_of(member), f"advanced_options.budget.{member}", config.timezone)
    return _at_limit(config, facts, now, seen, limit)


@dataclass(frozen=True, slots=True)
class Limit:
    """What is reached: the begin of the reason's code, the setting, the time zone of its day."""

    subject: str
    config_path: str | None
    timezone: str


def _at_limit(
    config: AssistantConfig | None, facts: Facts, now: datetime, seen: dict[str, Json], limit: Limit
) -> Verdict:
    """The end of a conversation that may cost no more: a person, or one line a day."""
    # Where nothing reaches a customer, there is nobody to hand over and nothing to say.
    if config is None or facts.is_staff_chat or config.disable_reply:
        return Verdict("stop", f"{limit.subject}_spent", seen, limit.config_path)
    stops = config.options.budget.on_exceeded == "stop"
    code = f"{limit.subject}_{'spent' if stops else 'handoff'}"
    if not stops and config.human_handoff.enabled:
        return Verdict("stop", code, seen, limit.config_path, hands_over=Match("budget"))
    seen = seen | {"line_sent_at": facts.budget_line_at.isoformat() if facts.budget_line_at else None}
    is_told = facts.budget_line_at is not None and (
        local_day(facts.budget_line_at, limit.timezone) == local_day(now, limit.timezone)
    )
    line = None if is_told else fixed_line(config.instructions_language)
    return Verdict("stop", code, seen, limit.config_path, line, leaves=not stops)


def handoff(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
    """The rules of `human_handoff_config` that need no model: the first that matches hands over."""
    if config is None or not config.human_handoff.looked_up or facts.is_staff_chat:
        return Verdict("pass", "no_handoff_rules")
    seen: dict[str, Json] = {
        "message_count": facts.message_count, "turns_without_progress": facts.turns_without_progress,
    }  # fmt: skip
    found = first_match(config.human_handoff, facts)
    if found is None:
        return Verdict("pass", "no_handoff_rule_matched", seen)
    seen |= {"rule_id": found.rule_id, "matched": found.detail}
    path = f"human_handoff_config.rules.{found.index}"
    return Verdict("stop", f"handoff_{found.rule}", seen, path, hands_over=found)


def disable_reply(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
    """Silent mode: the turn runs and is stored, nothing reaches the customer."""
    is_mute = config is not None and config.disable_reply
    seen: dict[str, Json] = {"disable_reply": is_mute}
    if is_mute and facts.is_staff_chat:
        # There is nothing to analyse in secret, and a model's answer that nobody sees is only paid for.
        return Verdict("stop", "staff_reply_disabled", seen, "disable_reply")
    return Verdict("mute", "reply_disabled", seen, "disable_reply") if is_mute else Verdict("pass", "reply_on", seen)


# Cheapest first, as the contract of a turn orders them.
GATES: tuple[tuple[str, Gate], ...] = (
    ("blocked", blocked),
    ("closed", closed),
    ("person", person),
    ("auto_assignment", auto_assignment),
    ("assistant", assistant),
    ("schedule", schedule),
    ("budget", budget),
    ("assistant_budget", assistant_budget),
    ("handoff", handoff),
    ("disable_reply", disable_reply),
)


def evaluate(
    config: AssistantConfig | None,
    facts: Facts,
    now: datetime,
    gates: Sequence[tuple[str, Gate]] = GATES,
) -> Decision:
    """Try the gates in order; the first stop ends it, and all that were tried are kept."""
    version = config.version if config else None
    tried: list[Tried] = []
    muted: Tried | None = None
    for name, gate in gates:
        entry = Tried(name, gate(config, facts, now))
        tried.append(entry)
        if entry.verdict.effect == "stop":
            line = entry.verdict.line
            if entry.verdict.hands_over is not None:
                return Decision("handoff", tuple(tried), entry, version, facts=facts)
            return Decision("message" if line else "silence", tuple(tried), entry, version, line, facts)
        if entry.verdict.effect == "mute":
            muted = muted or entry
    return Decision("analyse" if muted else "answer", tuple(tried), muted, version, facts=facts)


def facts_json(facts: Facts) -> dict[str, Json]:
    """The facts as they are stored with a decision, so that it can be replayed: what is as always is left out.

    The texts are left out as well: they stand in the messages, which a customer may have deleted.
    """
    stored: dict[str, Json] = to_jsonable_python(facts)
    return {name: value for name, value in stored.items() if value != USUAL[name] and not name.startswith("inbound_")}


USUAL: dict[str, Json] = to_jsonable_python(Facts())
