"""What follow-up rules would come to, by the answers of the past: pure, so that it can be tried without a database.

The same rules as at the due time, as far as the past tells: reply and newer answer, schedule, the channel's window,
what falls on one moment, the most of an episode. Who closed or took over a conversation meanwhile is not looked at.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.follow_up_config import FollowUpRule
from frontdesk.assistants.schedule import opening
from frontdesk.core.capabilities import CAPABILITIES


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer of the assistant: when the customer was heard before it, wrote after it, and was answered again."""

    conversation_id: int
    epoch: int
    channel: str
    at: datetime
    heard_at: datetime | None
    replied_at: datetime | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """Of each rule, the soonest first: after how many answers it would be scheduled, and after how many sent."""

    scheduled: Counter[str]
    due: Counter[str]


class Hours:
    """Openings of one schedule; asked in the order of time, a closed night is computed once."""

    def __init__(self, config: AssistantConfig) -> None:
        self.config = config
        self._closed: tuple[datetime, datetime] | None = None

    def open_from(self, moment: datetime) -> datetime | None:
        """`moment` itself within the hours, else the next opening; None where there is none."""
        if self._closed is not None and self._closed[0] <= moment < self._closed[1]:
            return self._closed[1]
        found = opening(self.config.schedule, self.config.timezone, moment)
        if found.is_open:
            return moment
        if found.next_opening is not None:
            self._closed = (moment, found.next_opening)
        return found.next_opening


def outlook(config: AssistantConfig, answers: Iterable[Answered], now: datetime) -> Outlook:
    """Count what the rules of `config` would do after these answers, up to `now`; a rule need not be switched on."""
    is_heard = config.hands_over and not config.disable_reply
    rules = sorted(config.follow_up.rules, key=lambda rule: rule.after_minutes) if is_heard else []
    found = Outlook(Counter(), Counter())
    hours = {rule.id: Hours(config) for rule in rules}
    # The epoch stands for the episode, which a turn does not store: a close and a reopening begin a new one.
    sent: dict[tuple[int, int], int] = defaultdict(int)
    for answer in sorted(answers, key=lambda one: one.at):
        episode = (answer.conversation_id, answer.epoch)
        here = [rule for rule in rules if rule.is_for(answer.channel)]
        if sent[episode] >= config.follow_up.max_per_conversation:
            continue
        found.scheduled.update(rule.id for rule in here)
        for rule in _sent(config, here, answer, hours, now):
            if sent[episode] < config.follow_up.max_per_conversation:
                sent[episode] += 1
                found.due[rule.id] += 1
    return found


def _sent(
    config: AssistantConfig, rules: Sequence[FollowUpRule], answer: Answered, hours: dict[str, Hours], now: datetime
) -> Iterator[FollowUpRule]:
    """The rules that would send something after this answer, in order; of several at one moment the last."""
    ends = [now, answer.answered_at, answer.replied_at if config.follow_up.stops_on_reply else None]
    until = min(end for end in ends if end is not None)
    moments: dict[datetime, FollowUpRule] = {}
    for rule in rules:
        moment: datetime | None = answer.at + timedelta(minutes=rule.after_minutes)
        if moment is not None and moment <= until and rule.only_in_schedule:
            moment = hours[rule.id].open_from(moment)
        if moment is not None and moment <= until and rule.way(answer.channel, _is_open(answer, moment)) is not None:
            moments[moment] = rule
    return iter(moments[moment] for moment in sorted(moments))


def _is_open(answer: Answered, moment: datetime) -> bool:
    """Whether the channel takes ordinary messages then: its window counts from the customer's last word."""
    known = CAPABILITIES.get(answer.channel)
    if known is None or known.window is None:
        return True
    heard = [said for said in (answer.heard_at, answer.replied_at) if said is not None and said <= moment]
    return bool(heard) and moment < max(heard) + known.window
