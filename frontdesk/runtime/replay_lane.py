"""One conversation on a simulated clock: what the gates of a draft would have said, message after message.

Pure: what was recorded comes in, what would have been comes out. As long as nothing differs the lane follows the
record exactly; after a difference it carries what the difference brings with it (who has the conversation, what the
customer was told, what was spent) until the record and the lane meet again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.handoff_config import MessageCount, NoAnswer, ToolFailure
from frontdesk.runtime.facts import Facts
from frontdesk.runtime.gates import Decision, evaluate

Result = Literal["answered", "silent", "handed_over", "failed"]
RESULTS: Mapping[str, Result] = {
    "answered": "answered", "silent": "silent", "muted": "silent", "failed": "failed", "handed_off": "handed_over",
}  # fmt: skip
PASSED = "all_gates_passed"
LEFT = (  # with nobody to hand to, nobody has it
    "conversation_budget_handoff", "assistant_budget_handoff", "budget_cost_handoff", "budget_tokens_handoff",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Given:
    """A hand-off to a person in the middle or at the end of a turn: the rule, its id, what it matched."""

    rule: str
    rule_id: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """An inbound as the record has it. `facts` is None where no gate was ever tried."""

    conversation_id: int
    message_id: int
    at: datetime
    outcome: str
    reason: str
    facts: Facts | None
    gate: str | None = None
    turn_id: int | None = None
    version: int | None = None
    text: str = ""
    message_type: str = "text"
    given: Given | None = None
    cost: Decimal = Decimal(0)  # of its turn
    kind: str = "conversation"
    private_to: int | None = None
    arrived: datetime | None = None
    answered_at: datetime | None = None  # when its turn ended

    @property
    def result(self) -> Result:
        return "handed_over" if self.given is not None else RESULTS[self.outcome]

    def is_decided_with(self, other: Heard) -> bool:
        """Messages of one burst are decided by one statement, with the same facts."""
        return (self.at, self.turn_id, self.facts) == (other.at, other.turn_id, other.facts)

    @property
    def leaves(self) -> bool:
        """Its assistant had the conversation no more."""
        return self.result in ("handed_over", "failed") or self.reason in LEFT


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the draft would have done; a `result` of None is what the record says."""

    result: Result | None = None
    reason: str = ""
    decision: Decision | None = None
    is_after_handoff: bool = False
    is_judged: bool = True


@dataclass(frozen=True, slots=True)
class Before:
    """What the conversation brings into the period, read only where a rule of the draft looks at it.

    `count` are its messages since the assistant has it. The costs are what stands against the assistant's limits at a
    moment, where the configuration of then had none and so no decision tells them.
    """

    count: int = 0
    conversation_cost: Callable[[datetime, datetime | None], Decimal] = lambda at, cut: Decimal(0)
    day_cost: Callable[[datetime, str], Decimal] = lambda at, timezone: Decimal(0)


@dataclass(slots=True)
class Lane:
    """`then` and `draft` give the configuration of a version as it was, and as it would have been."""

    assistant_id: int
    then: Callable[[int | None], AssistantConfig | None]
    draft: Callable[[int | None], AssistantConfig | None]
    before: Before = field(default_factory=Before)
    standing: Literal["recorded", "given", "kept"] = "recorded"
    given_at: datetime | None = None
    target: int | None = None
    epoch: int = -1
    cut: datetime | None = None
    told_at: datetime | None = None
    tells_otherwise: bool = False
    count: int = 0
    count_epoch: int = -1
    version: int | None = None  # of the configuration; a message that a person had names none
    spared: Decimal = Decimal(0)  # what turns cost that the lane does not run, since the context began

    def hear(self, group: Sequence[Heard]) -> Predicted:
        """The next messages that were decided together, in the order of their decisions."""
        last = group[-1]
        if last.facts is None or last.reason == "assistant_deleted":
            return Predicted(is_judged=last.facts is not None)
        self.version = last.version or self.version
        config = self.draft(self.version)
        self._meet(last.facts, last.at, config)
        if self.standing == "given":
            return self._with_person(last)
        if config is None or (self.standing == "recorded" and last.facts.assigned_ai_assistant_id != self.assistant_id):
            return Predicted()
        facts = self._facts(group, last.facts, config)
        decision = evaluate(config, facts, last.at)
        found = _outcome(last, config, decision, self.then(self.version))
        self._note(last, facts, config, decision, found)
        return found

    def _meet(self, facts: Facts, at: datetime, config: AssistantConfig | None) -> None:
        """Whether the record and the lane have the same owner again."""
        is_new_episode = facts.context_cut != self.cut
        if self.standing == "given" and config is not None and self.given_at is not None:
            back = config.human_handoff.back
            minutes = back.after_minutes if back.mode == "after_inactivity" else None
            if minutes is not None and at - self.given_at >= timedelta(minutes=minutes):
                self.standing = "recorded"
            elif is_new_episode:
                self.standing = "recorded" if back.mode == "on_close" else "given"
            elif facts.epoch != self.epoch:
                # Somebody changed the owner then: what a person did, a person would have done.
                self.standing = "recorded"
        elif self.standing == "kept" and (facts.assigned_ai_assistant_id is not None or is_new_episode):
            self.standing = "recorded"
        if is_new_episode:
            self.spared = Decimal(0)
        self.epoch, self.cut = facts.epoch, facts.context_cut

    def _with_person(self, last: Heard) -> Predicted:
        """The draft has handed it over before, so nobody but a person answers."""
        assert last.facts is not None
        facts = replace(
            last.facts, assigned_ai_assistant_id=None, assigned_user_id=self.target, is_auto_assignment_disabled=True,
            auto_assignment_disabled_reason="handoff",
        )  # fmt: skip
        decision = evaluate(None, facts, last.at)
        if last.turn_id is not None:
            self.spared += last.cost
        return Predicted("silent", decision.reason, decision, is_after_handoff=True)

    def _facts(self, group: Sequence[Heard], facts: Facts, config: AssistantConfig) -> Facts:
        """The recorded facts, with those that were not read then and those that the lane has made otherwise."""
        then = self.then(group[-1].version)
        at = group[-1].at
        if self.standing == "kept":
            facts = replace(
                facts, assigned_user_id=None, assigned_ai_assistant_id=self.assistant_id,
                is_auto_assignment_disabled=False,
            )  # fmt: skip
        if not self.tells_otherwise and then is not None and then.schedule.enabled:
            self.told_at = facts.schedule_message_at
        spent, today = facts.conversation_cost, facts.assistant_cost_today
        if config.options.budget.is_limited and (then is None or not then.options.budget.is_limited):
            spent = self.before.conversation_cost(at, facts.context_cut)
            today = self.before.day_cost(at, config.timezone)
        return replace(
            facts,
            schedule_message_at=self.told_at,
            inbound_texts=tuple(heard.text for heard in group if heard.text),
            inbound_types=tuple(heard.message_type for heard in group),
            message_count=self._counted(group, facts, then),
            conversation_cost=max(spent - self.spared, Decimal(0)),
            assistant_cost_today=today,
        )

    def _counted(self, group: Sequence[Heard], facts: Facts, then: AssistantConfig | None) -> int:
        """The customer's messages since the assistant has the conversation."""
        rules = then.human_handoff.looked_up if then is not None else ()
        if self.standing == "recorded" and any(isinstance(rule, MessageCount) for rule in rules):
            return facts.message_count
        if self.count_epoch == -1:
            self.count = self.before.count
        elif self.standing == "recorded" and facts.epoch != self.count_epoch:
            self.count = 0
        return self.count + len(group)

    def _note(
        self, last: Heard, facts: Facts, config: AssistantConfig, decision: Decision, found: Predicted
    ) -> None:  # fmt: skip
        """What this message changes for the next ones."""
        runs = decision.outcome in ("answer", "analyse")
        self.count = facts.message_count if runs or self.count else 0
        self.count_epoch = facts.epoch
        if not runs and last.turn_id is not None:
            self.spared += last.cost
        tells = decision.outcome == "message" and decision.gate == "schedule"
        self.tells_otherwise |= tells != (last.reason == "out_of_schedule_message")
        if tells:
            self.told_at = last.at
        # A conversation that nobody has because no answer came is tried again with its next message.
        leaves = last.leaves if found.result is None else found.result == "handed_over"
        if leaves and (self.standing == "kept" or not last.leaves):
            target = config.human_handoff.target
            self.standing, self.given_at = "given", last.at
            self.target = target.user_ids[0] if target.type == "user" else None
        elif last.leaves and not leaves:
            self.standing = "kept"


def _outcome(last: Heard, config: AssistantConfig, decision: Decision, then: AssistantConfig | None) -> Predicted:
    """What comes of the gates' word, with what the record knows of the turn that they let run."""
    if decision.outcome == "handoff":
        return Predicted("handed_over", decision.reason, decision)
    if decision.outcome in ("message", "silence"):
        return Predicted("silent", decision.reason, decision)
    did_run = last.turn_id is not None
    if did_run and last.given is not None:
        if _holds(config, last.given, then):
            return Predicted()
        lost: Result = "silent" if decision.outcome == "analyse" else "answered" if last.given.rule_id else "failed"
        return Predicted(lost, decision.reason, decision)
    was_muted = did_run and last.gate is not None
    if decision.outcome == "analyse":
        return Predicted() if was_muted else Predicted("silent", decision.reason, decision)
    return Predicted() if did_run and not was_muted else Predicted("answered", PASSED, decision)


def _holds(config: AssistantConfig, given: Given, then: AssistantConfig | None) -> bool:
    """Whether the draft still has the rule by which a turn handed over; a failure needs no rule."""
    handoff = config.human_handoff
    if not handoff.enabled:
        return False
    if given.rule_id is None:
        return True
    rule = handoff.rule(given.rule_id)
    if rule is None or rule.type != given.rule:
        return False
    if isinstance(rule, NoAnswer):
        return not (given.detail or "").isdecimal() or rule.after_turns <= int(given.detail or 0)
    if isinstance(rule, ToolFailure) and then is not None:
        was = then.human_handoff.rule(given.rule_id)
        return not isinstance(was, ToolFailure) or rule.after_failures <= was.after_failures
    return True
