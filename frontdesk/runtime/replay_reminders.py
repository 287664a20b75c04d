"""The reminders of one conversation on the simulated clock: what the draft's `follow_up_config` would have scheduled,
and how each would have ended.

Pure. Timers begin where the lane answers; customers, people and closes are those of the record. As long as draft and
lane are what they were, the record says how a reminder ended (a model may have declined it, a channel refused it);
otherwise the gates that judge a reminder when it is due are asked, on the clock of then.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.follow_up_config import FollowUpRule
from frontdesk.assistants.follow_up_words import PREFIX
from frontdesk.core.capabilities import CAPABILITIES
from frontdesk.core.errors import Json
from frontdesk.runtime.facts import Facts
from frontdesk.runtime.follow_up_checks import Case, check, next_opening
from frontdesk.runtime.replay_lane import Heard, Lane, Result

Ended = Literal["sent", "cancelled", "failed", "waiting"]
NOT_ANSWERED = "not_answered"  # the draft would not have given the answer that it follows
GONE = "rule_removed"
# Why one was cancelled that nothing in a configuration decides: it happened, whatever the draft says.
WORLDLY = frozenset({
    "closed", "human", "opted_out", "other_owner", "newer_epoch", "contact_blocked", "contact_deleted",
    "conversation_deleted",
})  # fmt: skip
KINDS = ("conversation", "ticket")
ANSWERS = ("answered", "delivery_unknown", "all_gates_passed")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A reminder as the store has it; `waiting` where it had not ended before the period did."""

    conversation_id: int
    turn_id: int
    rule_id: str
    mode: str
    answered_at: datetime
    due_at: datetime
    status: Ended
    reason: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder as the draft would have had it. `at` is when it ended, or when it would be due."""

    turn_id: int | None
    rule_id: str
    mode: str
    answered_at: datetime
    at: datetime
    status: Ended
    reason: str | None = None
    facts: Mapping[str, Json] = field(default_factory=dict)
    config_path: str | None = None


@dataclass(frozen=True, slots=True)
class Outside:
    """What happened to a conversation beside its inbounds: people who wrote, the opting out, and how it stands now."""

    channel: str = "playground"
    stops: tuple[tuple[datetime, str], ...] = ()
    epoch: int | None = None
    changed_at: datetime | None = None
    now: str = "newer_epoch"


@dataclass(slots=True)
class Timeline:
    """Which version was in force when, and what each was and would have been."""

    times: list[datetime] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    then: dict[int, AssistantConfig] = field(default_factory=dict)
    drafts: dict[int, AssistantConfig] = field(default_factory=dict)
    _same: dict[int, bool] = field(default_factory=dict)

    def at(self, moment: datetime) -> int | None:
        if not self.versions:
            return None
        return self.versions[max(bisect_right(self.times, moment) - 1, 0)]

    def draft(self, moment: datetime) -> AssistantConfig | None:
        version = self.at(moment)
        return None if version is None else self.drafts.get(version)

    def is_same(self, moment: datetime) -> bool:
        """Whether the draft says of reminders what was in force at that moment."""
        version = self.at(moment)
        if version is None or version not in self.then or version not in self.drafts:
            return False
        if version not in self._same:
            self._same[version] = _plan(self.then[version]) == _plan(self.drafts[version])
        return self._same[version]


def _plan(config: AssistantConfig) -> tuple[object, ...]:
    """Whatever decides about a reminder."""
    return (
        config.follow_up, config.schedule, config.timezone, config.disable_reply, config.options.budget,
        config.hands_over,
    )  # fmt: skip


@dataclass(slots=True)
class _Timer:
    rule: FollowUpRule
    answered_at: datetime
    due: datetime
    turn_id: int | None
    stops_on_reply: bool
    record: Recorded | None = None


@dataclass(slots=True)
class Reminders:
    """Of one conversation; `end` is the period's. `recorded` are those that the store has behind its answers."""

    assistant_id: int
    timeline: Timeline
    recorded: Sequence[Recorded]
    outside: Outside
    end: datetime
    ended: list[Reminder] = field(default_factory=list)
    timers: list[_Timer] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)
    heard_at: datetime | None = None
    has_replied: bool = False
    sent: int = 0  # of this episode
    follows: bool = True  # the lane is where the record is
    has_parted: bool = False  # in this episode
    answered: set[int] = field(default_factory=set)  # turns that the draft would have run as well
    by_turn: dict[int, dict[str, Recorded]] = field(default_factory=dict)
    stops: list[tuple[datetime, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stops = list(self.outside.stops)
        for one in self.recorded:
            self.by_turn.setdefault(one.turn_id, {})[one.rule_id] = one
            if one.reason in WORLDLY and one.ended_at is not None:
                self.stops.append((one.ended_at, one.reason))
        self.stops.sort()

    def arrive(self, group: Sequence[Heard]) -> None:
        """The customer writes: what was due before has been judged, and what waits for a reply waits no longer."""
        at = min(heard.arrived or heard.at for heard in group)
        facts = group[-1].facts
        self._run(at, self._between(facts))
        for timer in [timer for timer in self.timers if timer.stops_on_reply and timer.answered_at <= at]:
            self._close(timer, "replied", at)
        if any(heard.message_type != "reaction" for heard in group):
            self.heard_at, self.has_replied = max(heard.arrived or heard.at for heard in group), True
        if facts is not None and facts.context_cut != self.facts.context_cut:
            self.sent, self.has_parted = 0, False

    def _between(self, facts: Facts | None) -> str | None:
        """What must have happened since the last answer, at a moment that no row tells."""
        if facts is None or not self.follows:
            return None
        if facts.context_cut != self.facts.context_cut:
            return "closed"
        if facts.epoch == self.facts.epoch:
            return None
        return "human" if facts.assigned_user_id is not None else "newer_epoch"

    def follow(self, heard: Heard, result: Result, reason: str, lane: Lane) -> None:
        """What the lane made of the message: an answer starts the time, a hand-off ends it."""
        self.follows = lane.standing == "recorded"
        if heard.facts is not None:
            self.facts = heard.facts
        at = min(heard.answered_at or heard.at, self.end)
        if result in ("handed_over", "failed"):
            for timer in list(self.timers):
                self._close(timer, "human", at)
        is_answer = reason in ANSWERS or heard.turn_id in self.by_turn
        if result != "answered" or not is_answer or heard.kind not in KINDS:
            return
        if heard.facts is None or (self.follows and heard.facts.assigned_ai_assistant_id != self.assistant_id):
            return
        self._answered(heard, at)

    def _answered(self, heard: Heard, at: datetime) -> None:
        self.has_replied = False
        if heard.turn_id is not None:
            self.answered.add(heard.turn_id)
        config = self.timeline.draft(at)
        was_so = heard.result == "answered" and heard.turn_id is not None
        recorded = self.by_turn.get(heard.turn_id, {}) if heard.turn_id is not None else {}
        is_trusted = was_so and self.follows and not self.has_parted and self.timeline.is_same(at)
        if config is None or not config.hands_over or not config.follow_up.in_force:
            self.has_parted |= not is_trusted
            return
        for timer in list(self.timers):
            self._close(timer, "newer_answer", at)
        for rule in config.follow_up.in_force:
            record = recorded.get(rule.id)
            # The record knows best whether an answer was one to schedule behind.
            is_due = record is not None if is_trusted else self.sent < config.follow_up.max_per_conversation
            if rule.is_for(self.outside.channel) and is_due:
                due = record.due_at if is_trusted and record else at + timedelta(minutes=rule.after_minutes)
                self.timers.append(_Timer(
                    rule, at, due, heard.turn_id, config.follow_up.stops_on_reply, record if is_trusted else None,
                ))  # fmt: skip
        self.has_parted |= not is_trusted

    def finish(self) -> list[Reminder]:
        """The end of the period: what is due later waits still."""
        out = self.outside
        if out.epoch is not None and out.changed_at is not None and self.follows and out.epoch != self.facts.epoch:
            self.stops = sorted([*self.stops, (out.changed_at, out.now)])
        self._run(self.end, None)
        for timer in self.timers:
            self.ended.append(_ended(timer, "waiting", None, timer.due))
        self.timers = []
        return self.ended

    # -- timers ------------------------------------------------------------------------------------

    def _run(self, until: datetime, between: str | None) -> None:
        """Judge what falls due before `until`, in the order of time; of what falls together the latest rule's goes."""
        while due := [timer for timer in self.timers if timer.due < until]:
            moment = min(timer.due for timer in due)
            together = [timer for timer in due if timer.due == moment]
            together.sort(key=lambda timer: timer.rule.after_minutes, reverse=True)
            is_sent = False
            for timer in together:
                is_sent |= self._judge(timer, moment, between, is_sent=is_sent)

    def _judge(self, timer: _Timer, at: datetime, between: str | None, *, is_sent: bool) -> bool:
        """Whether it goes out. What the schedule puts off stays with a later moment."""
        if timer.record is not None and self.follows and self.timeline.is_same(at):
            return self._close(timer, "", at)
        stop = next((reason for when, reason in self.stops if timer.answered_at <= when <= at), None)
        if stop is None and between is not None and at > self._open_until(timer):
            stop = between
        if stop is not None:
            return self._close(timer, stop, at)
        config = self.timeline.draft(at)
        decision = check(self._case(timer, config, at), config, at)
        if (later := next_opening(decision)) is not None and later > at:
            timer.due = later
            return False
        if decision.outcome == "answer":
            return self._close(timer, "overtaken" if is_sent else "sent", at)
        told = decision.decisive.verdict.facts if decision.decisive is not None else {}
        self._over(timer, _ended(timer, "cancelled", decision.reason.removeprefix(PREFIX), at, told,
                                 decision.config_path))  # fmt: skip
        return False

    def _case(self, timer: _Timer, config: AssistantConfig | None, at: datetime) -> Case:
        window = CAPABILITIES[self.outside.channel].window if self.outside.channel in CAPABILITIES else None
        is_open = window is None or (self.heard_at is not None and at < self.heard_at + window)
        facts = replace(
            self.facts, is_blocked=False, is_closed=False, assigned_user_id=None, owner_reason=None,
            assigned_ai_assistant_id=self.assistant_id,
        )  # fmt: skip
        rule = config.follow_up.rule(timer.rule.id) if config is not None else None
        return Case(
            self.assistant_id, timer.rule.id, facts.epoch, facts.epoch, self.outside.channel, rule, facts,
            "contact" if self.has_replied else "assistant", self.sent, is_open,
        )  # fmt: skip

    def _open_until(self, timer: _Timer) -> datetime:
        """Until when the record proves that the assistant had the conversation: it sent a reminder."""
        known = self.by_turn.get(timer.turn_id, {}).values() if timer.turn_id is not None else ()
        return max((one.ended_at for one in known if one.status == "sent" and one.ended_at), default=timer.answered_at)

    def _close(self, timer: _Timer, reason: str, at: datetime) -> bool:
        """It ends as the record has it where that counts, else by `reason`. Gives whether it went out."""
        if timer.record is not None and self.follows and self.timeline.is_same(at):
            found = _as_recorded(timer.record)
        elif reason == "sent":
            found = _ended(timer, "sent", None, at)
        else:
            found = _ended(timer, "cancelled", reason, at)
        self._over(timer, found)
        return found.status == "sent"

    def _over(self, timer: _Timer, found: Reminder) -> None:
        self.timers.remove(timer)
        self.ended.append(found)
        self.sent += found.status == "sent"


def _ended(
    timer: _Timer, status: Ended, reason: str | None, at: datetime, facts: Mapping[str, Json] | None = None,
    config_path: str | None = None,
) -> Reminder:  # fmt: skip
    return Reminder(
        timer.turn_id, timer.rule.id, timer.rule.mode, timer.answered_at, at, status, reason, facts or {}, config_path
    )


def _as_recorded(one: Recorded) -> Reminder:
    return Reminder(
        one.turn_id, one.rule_id, one.mode, one.answered_at, one.ended_at or one.due_at, one.status, one.reason
    )
