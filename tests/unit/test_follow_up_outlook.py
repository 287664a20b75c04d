"""What a draft of follow-up rules would come to: by the same rules as at the due time, over the answers of the past."""

from datetime import UTC, datetime, timedelta

import pytest

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.follow_up_config import FollowUpConfig
from frontdesk.assistants.follow_up_outlook import Answered, Hours, outlook
from frontdesk.assistants.schedule import opening
from frontdesk.assistants.schedule_config import ScheduleConfig

MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
NOW = MONDAY + timedelta(days=20)
OFFICE = ScheduleConfig.model_validate(
    {"enabled": True, "weekly": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "18:00"}]}
)
HOUR = {"id": "h", "after_minutes": 60, "mode": "fixed", "message": "Still there?"}
DAY = {"id": "d", "after_minutes": 1440, "mode": "fixed", "message": "Shall we close this?"}


def config(*rules, schedule=None, section=None, **more):
    follow_up = FollowUpConfig.model_validate({"enabled": True, "rules": list(rules), **(section or {})})
    return AssistantConfig(1, 1, follow_up=follow_up, schedule=schedule or ScheduleConfig(), **more)


def answer(hours=0.0, *, conversation=1, epoch=1, channel="webchat", replied=None, again=None):
    at = MONDAY + timedelta(hours=hours)
    later = (None if one is None else MONDAY + timedelta(hours=one) for one in (replied, again))
    return Answered(conversation, epoch, channel, at, at, *later)


def counts(config, *answers, now=NOW):
    found = outlook(config, answers, now)
    return {rule.id: (found.scheduled[rule.id], found.due[rule.id]) for rule in config.follow_up.rules}


@pytest.mark.parametrize(
    ("one", "due"),
    [(answer(), 1), (answer(replied=0.5), 0), (answer(replied=1), 1), (answer(again=0.5), 0), (answer(replied=2), 1),
     (answer(19.9 * 24), 1), (answer(20 * 24), 0)],
)  # fmt: skip
def test_silence_until_it_is_due(one: Answered, due: int) -> None:
    assert counts(config(HOUR), one) == {"h": (1, due)}


def test_without_reply_in_stop_on_only_a_newer_answer_ends_it() -> None:
    left_out = {"stop_on": ["close", "human", "opt_out"]}
    assert counts(config(HOUR, section=left_out), answer(replied=0.5)) == {"h": (1, 1)}
    assert counts(config(HOUR, section=left_out), answer(again=0.5)) == {"h": (1, 0)}


def test_outside_the_hours_it_waits_and_a_reply_before_the_opening_ends_it() -> None:
    evening = 7.5  # 17:30, so that it is due at 18:30
    assert counts(config(HOUR, schedule=OFFICE), answer(evening)) == {"h": (1, 1)}
    assert counts(config(HOUR, schedule=OFFICE), answer(evening, replied=evening + 3)) == {"h": (1, 0)}
    assert counts(config({**HOUR, "only_in_schedule": False}, schedule=OFFICE), answer(evening, replied=20)) == {
        "h": (1, 1)
    }
    assert counts(config(HOUR, schedule=ScheduleConfig(enabled=True)), answer()) == {"h": (1, 0)}


def test_of_several_at_one_opening_the_last_counts() -> None:
    late = {**HOUR, "id": "late", "after_minutes": 120}
    assert counts(config(HOUR, late, schedule=OFFICE), answer(7.5)) == {"h": (1, 0), "late": (1, 1)}


def test_the_most_of_an_episode() -> None:
    answers = [answer(10.0 * n) for n in range(4)]
    assert counts(config(HOUR, section={"max_per_conversation": 2}), *answers) == {"h": (2, 2)}
    assert counts(config(HOUR, DAY, section={"max_per_conversation": 1}), answer()) == {"h": (1, 1), "d": (1, 0)}
    answers[3] = answer(30.0, epoch=2)
    assert counts(config(HOUR, section={"max_per_conversation": 2}), *answers) == {"h": (3, 3)}


@pytest.mark.parametrize(
    ("channel", "rule", "due"),
    [("webchat", DAY, 1), ("whatsapp", DAY, 0), ("whatsapp", {**DAY, "template_id": 3}, 1), ("messenger", DAY, 0),
     ("messenger", {**DAY, "template_id": 3}, 0), ("whatsapp", HOUR, 1),
     ("webchat", {"id": "d", "after_minutes": 1440, "mode": "template", "template_id": 3}, 0)],
)  # fmt: skip
def test_the_channels_window(channel: str, rule: dict, due: int) -> None:  # type: ignore[type-arg]
    assert counts(config(rule), answer(channel=channel)) == {rule["id"]: (1, due)}


def test_who_is_silent_or_has_no_customer_reminds_nobody() -> None:
    assert counts(config(HOUR, disable_reply=True), answer()) == {"h": (0, 0)}
    assert counts(config(HOUR, assistant_type="ai-chat"), answer()) == {"h": (0, 0)}
    assert counts(config({**HOUR, "channels": ["sms"]}), answer()) == {"h": (0, 0)}


def test_a_night_that_is_remembered_opens_when_the_schedule_does() -> None:
    asked = config(HOUR, schedule=OFFICE)
    hours = Hours(asked)
    for step in range(8 * 24 * 4):
        moment = MONDAY + timedelta(minutes=15 * step)
        found = opening(OFFICE, "UTC", moment)
        assert hours.open_from(moment) == (moment if found.is_open else found.next_opening)
