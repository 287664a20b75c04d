"""Whether a follow-up that is due may go out: ordered gates, pure functions of (configuration, facts, time).

Everything is looked at again at the due time, whatever has been cancelled before (rule 6 of a turn).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.follow_up_config import FollowUpRule, Way
from frontdesk.assistants.schedule import opening
from frontdesk.core.errors import Json
from frontdesk.runtime import gates
from frontdesk.runtime.facts import Facts
from frontdesk.runtime.gates import Decision, Gate, Verdict

OUTSIDE_HOURS = "follow_up_outside_hours"
RULES = "follow_up_config.rules"


@dataclass(frozen=True, slots=True)
class Case:
    """One follow-up that is due, and the state that it is checked against.

    `last_sender` wrote the last message that is no note and no reaction; `sent` counts the follow-ups of the episode;
    `is_window_open` is false where the channel takes nothing but templates now.
    """

    ai_assistant_id: int
    rule_id: str
    epoch: int
    current_epoch: int
    channel: str
    rule: FollowUpRule | None
    facts: Facts = field(default_factory=Facts)
    last_sender: str | None = "assistant"
    sent: int = 0
    is_window_open: bool = True
    is_contact_deleted: bool = False
    has_opted_out: bool = False

    @property
    def way(self) -> Way | None:
        """What goes out; None: nothing can."""
        return None if self.rule is None else self.rule.way(self.channel, self.is_window_open)


def check(case: Case, config: AssistantConfig | None, now: datetime) -> Decision:
    """Try the gates; `outcome` is `answer` where it may go out."""
    return gates.evaluate(config, case.facts, now, _gates(case))


def next_opening(decision: Decision) -> datetime | None:
    """Until when it is put off, where the schedule alone speaks against it now."""
    decisive = decision.decisive
    if decisive is None or decisive.verdict.code != OUTSIDE_HOURS:
        return None
    return datetime.fromisoformat(str(decisive.verdict.facts["next_opening"]))


def _gates(case: Case) -> tuple[tuple[str, Gate], ...]:
    named: tuple[tuple[str, Callable[[Case], Gate]], ...] = (
        ("assistant", _assistant), ("blocked", _blocked), ("closed", _closed), ("owner", _owner),
        ("opt_out", _opt_out), ("rule", _rule), ("reply", _reply), ("max_per_conversation", _most),
        ("disable_reply", _disable_reply), ("channel", _channel), ("schedule", _schedule), ("window", _window),
        ("budget", _budget),
    )  # fmt: skip
    return tuple((name, gate(case)) for name, gate in named)


def _stop(reason: str, seen: dict[str, Json], path: str | None = None) -> Verdict:
    return Verdict("stop", f"follow_up_{reason}", seen, path)


def _assistant(case: Case) -> Gate:
    def gate(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
        if config is None or config.deleted_at is not None:
            return _stop("assistant_deleted", {}, "deleted_at")
        return Verdict("pass", "assistant_on", {"name": config.name})

    return gate


def _blocked(case: Case) -> Gate:
    def gate(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
        seen: dict[str, Json] = {"blocked": facts.is_blocked, "contact_deleted": case.is_contact_deleted}
        if facts.is_blocked:
            return _stop("contact_blocked", seen)
        return _stop("contact_deleted", seen) if case.is_contact_deleted else Verdict("pass", "not_blocked", seen)

    return gate


def _closed(case: Case) -> Gate:
    def gate(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
        seen: dict[str, Json] = {"closed": facts.is_closed}
        return _stop("closed", seen) if facts.is_closed else Verdict("pass", "open", seen)

    return gate


def _owner(case: Case) -> Gate:
    def gate(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
        seen: dict[str, Json] = {
            "assigned_user_id": facts.assigned_user_id, "assigned_ai_assistant_id": facts.assigned_ai_assistant_id,
            "epoch": case.current_epoch,
        }  # fmt: skip
        if facts.assigned_user_id is not None or facts.owner_reason is not None:
            return _stop("human", seen)
        if facts.assigned_ai_assistant_id != case.ai_assistant_id:
            return _stop("other_owner", seen)
        if case.epoch != case.current_epoch:
            return _stop("newer_epoch", seen | {"scheduled_in_epoch": case.epoch})
        return Verdict("pass", "still_the_owner", seen)

    return gate


def _opt_out(case: Case) -> Gate:
    def gate(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
        seen: dict[str, Json] = {"opted_out": case.has_opted_out}
        return _stop("opted_out", seen) if case.has_opted_out else Verdict("pass", "not_opted_out", seen)

    return gate


def _rule(case: Case) -> Gate:
    def gate(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
        seen: dict[str, Json] = {"rule_id": case.rule_id}
        if case.rule is None or config is None or not config.hands_over:
            return _stop("rule_removed", seen, RULES)
        return Verdict("pass", "rule_in_force", seen)

    return gate


def _reply(case: Case) -> Gate:
    def gate(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
        stops = config is None or config.follow_up.stops_on_reply
        seen: dict[str, Json] = {"last_sender": case.last_sender, "stops_on_reply": stops}
        if case.last_sender == "user":
            return _stop("human", seen)
        if stops and case.last_sender not in ("assistant", "system"):
            return _stop("replied", seen, "follow_up_config.stop_on")
        return Verdict("pass", "not_answered_yet", seen)

    return gate


def _most(case: Case) -> Gate:
    def gate(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
        most = config.follow_up.max_per_conversation if config is not None else 0
        seen: dict[str, Json] = {"sent": case.sent, "max": most}
        if case.sent >= most:
            return _stop("max_reached", seen, "follow_up_config.max_per_conversation")
        return Verdict("pass", "below_max", seen)

    return gate


def _disable_reply(case: Case) -> Gate:
    def gate(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
        is_mute = config is not None and config.disable_reply
        seen: dict[str, Json] = {"disable_reply": is_mute}
        return _stop("reply_disabled", seen, "disable_reply") if is_mute else Verdict("pass", "reply_on", seen)

    return gate


def _channel(case: Case) -> Gate:
    def gate(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
        seen: dict[str, Json] = {"channel": case.channel, "rule_id": case.rule_id}
        if case.rule is not None and not case.rule.is_for(case.channel):
            return _stop("channel_not_in_rule", seen, RULES)
        return Verdict("pass", "channel_in_rule", seen)

    return gate


def _schedule(case: Case) -> Gate:
    def gate(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
        if config is None or case.rule is None or not case.rule.only_in_schedule:
            return Verdict("pass", "at_any_time")
        found = opening(config.schedule, config.timezone, now)
        seen = gates.opening_facts(found, config)
        if found.is_open:
            return Verdict("pass", "in_schedule", seen, found.config_path)
        if found.next_opening is None:
            return _stop("never_open", seen, found.config_path)
        return Verdict("stop", OUTSIDE_HOURS, seen, found.config_path)

    return gate


def _window(case: Case) -> Gate:
    def gate(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
        seen: dict[str, Json] = {"channel": case.channel, "window_open": case.is_window_open, "sent_as": case.way}
        if case.way is not None:
            return Verdict("pass", "can_be_sent", seen)
        return _stop("template_not_here" if case.is_window_open else "window_closed", seen, RULES)

    return gate


def _budget(case: Case) -> Gate:
    """Only what a model writes costs anything."""

    def gate(config: AssistantConfig | None, facts: Facts, now: datetime) -> Verdict:
        if case.way != "ai":
            return Verdict("pass", "costs_nothing")
        for ask in (gates.budget, gates.assistant_budget):
            said = ask(config, facts, now)
            if said.effect == "stop":
                return _stop("budget_spent", said.facts, said.config_path)
        return Verdict("pass", "in_budget", said.facts)

    return gate
