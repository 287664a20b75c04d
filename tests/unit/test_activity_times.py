"""When an activity is: what a write gives, what follows from it, and what contradicts itself."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.core.errors import Invalid
from frontdesk.core.fields import Plain
from frontdesk.resources.crm.activity_times import LONGEST, settle

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
HALF_PAST_TWO, THREE = time(14, 30), time(15)
BASE: dict[str, Plain] = {"timezone": "America/Bogota"}
CALL: dict[str, Plain] = {
    "start_date": MONDAY, "start_time": HALF_PAST_TWO, "end_date": MONDAY, "end_time": THREE, "duration": 30, **BASE,
}  # fmt: skip
START = {"start_date": MONDAY, "start_time": HALF_PAST_TWO}


def shown(times: dict[str, Plain]) -> tuple[Plain, ...]:
    return tuple(times[name] for name in ("start_date", "start_time", "end_date", "end_time", "duration"))


NEW: dict[str, tuple[dict[str, Plain], tuple[Plain, ...]]] = {
    "nothing": ({}, (None, None, None, None, None)),
    "a day": ({"start_date": MONDAY}, (MONDAY, None, None, None, None)),
    "a day and a length": ({"start_date": MONDAY, "duration": 20}, (MONDAY, None, None, None, 20)),
    "days": ({"start_date": MONDAY, "end_date": TUESDAY}, (MONDAY, None, TUESDAY, None, None)),
    "a start": (START, (MONDAY, HALF_PAST_TWO, None, None, None)),
    "start and length": ({**START, "duration": 30}, (MONDAY, HALF_PAST_TWO, MONDAY, THREE, 30)),
    "start and end time": ({**START, "end_time": THREE}, (MONDAY, HALF_PAST_TWO, MONDAY, THREE, 30)),
    "all": ({**START, "end_time": THREE, "duration": 30}, (MONDAY, HALF_PAST_TWO, MONDAY, THREE, 30)),
    "over midnight": (
        {**START, "end_date": TUESDAY, "end_time": time(0, 30)}, (MONDAY, HALF_PAST_TWO, TUESDAY, time(0, 30), 600),
    ),
    "no length": ({**START, "duration": 0}, (MONDAY, HALF_PAST_TWO, MONDAY, HALF_PAST_TWO, 0)),
    "seconds": (
        {**START, "end_time": time(15, 0, 59), "duration": 30}, (MONDAY, HALF_PAST_TWO, MONDAY, time(15, 0, 59), 30),
    ),
    "end date and length": (
        {**START, "end_date": TUESDAY, "duration": 600}, (MONDAY, HALF_PAST_TWO, TUESDAY, time(0, 30), 600),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NEW)
def test_a_new_activity_gets_what_follows_from_what_is_given(name: str) -> None:
    written, expected = NEW[name]
    assert shown(settle({}, {**BASE, **written})) == expected


CHANGES: dict[str, tuple[dict[str, Plain], tuple[Plain, ...]]] = {
    "moved to another day": ({"start_date": TUESDAY}, (TUESDAY, HALF_PAST_TWO, TUESDAY, THREE, 30)),
    "moved to another hour": ({"start_time": time(23, 45)}, (MONDAY, time(23, 45), TUESDAY, time(0, 15), 30)),
    "made longer": ({"duration": 60}, (MONDAY, HALF_PAST_TWO, MONDAY, time(15, 30), 60)),
    "ends later": ({"end_time": time(16)}, (MONDAY, HALF_PAST_TWO, MONDAY, time(16), 90)),
    "moved, with another end": (
        {"start_date": TUESDAY, "end_time": time(16)}, (TUESDAY, HALF_PAST_TWO, TUESDAY, time(16), 90),
    ),
    "without an end": ({"end_time": None}, (MONDAY, HALF_PAST_TWO, MONDAY, None, None)),
    "without a length": ({"duration": None}, (MONDAY, HALF_PAST_TWO, None, None, None)),
    "the whole day": ({"start_time": None}, (MONDAY, None, MONDAY, None, 30)),
    "one day": ({"start_date": None}, (None, None, None, None, 30)),
    "elsewhere": ({"timezone": "Asia/Kolkata"}, (MONDAY, HALF_PAST_TWO, MONDAY, THREE, 30)),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_takes_along_what_was_not_given(name: str) -> None:
    written, expected = CHANGES[name]
    assert shown(settle(CALL, written)) == expected


WRONG: list[tuple[dict[str, Plain], dict[str, Plain], str]] = [
    ({}, {"start_time": THREE}, "start_time"),
    ({}, {"end_date": MONDAY}, "end_date"),
    ({}, {"start_date": MONDAY, "end_time": THREE}, "end_time"),
    ({}, {"start_date": TUESDAY, "end_date": MONDAY}, "end_date"),
    ({}, {**START, "end_time": time(14)}, "end_time"),
    ({}, {**START, "end_date": date(2026, 3, 1), "end_time": THREE}, "end_time"),
    ({}, {**START, "end_time": THREE, "duration": 31}, "duration"),
    ({}, {**START, "end_date": TUESDAY, "duration": 30}, "duration"),
    ({}, {**START, "end_date": date(2028, 1, 1), "end_time": THREE}, "end_date"),
    (CALL, {"end_time": time(16), "duration": 30}, "duration"),
    (CALL, {"end_time": time(14)}, "end_time"),
    (CALL, {"start_date": None, "start_time": THREE}, "start_time"),
]


@pytest.mark.parametrize(("before", "written", "path"), WRONG, ids=range(len(WRONG)))
def test_what_contradicts_itself_is_refused(before: dict[str, Plain], written: dict[str, Plain], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        settle(before, {**BASE, **written})
    assert list(refused.value.errors) == [path]


ZONES = st.sampled_from(["UTC", "Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
STARTS = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)).map(lambda moment: moment.replace(microsecond=0))
MINUTES = st.integers(0, LONGEST)


@given(start=STARTS, minutes=MINUTES, zone=ZONES)
@settings(max_examples=300, deadline=None)
def test_the_end_is_as_many_minutes_after_the_start_as_the_duration_says(
    start: datetime, minutes: int, zone: str
) -> None:
    written: dict[str, Plain] = {
        "start_date": start.date(), "start_time": start.time(), "duration": minutes, "timezone": zone,
    }  # fmt: skip
    times = settle({}, written)
    end = datetime.combine(times["end_date"], times["end_time"], ZoneInfo(zone))  # type: ignore[arg-type]
    passed = {end.replace(fold=fold).timestamp() - start.replace(tzinfo=ZoneInfo(zone)).timestamp() for fold in (0, 1)}
    assert minutes * 60 in passed


@given(start=STARTS, minutes=MINUTES, zone=ZONES)
@settings(max_examples=300, deadline=None)
def test_what_was_settled_may_be_sent_whole_again(start: datetime, minutes: int, zone: str) -> None:
    written: dict[str, Plain] = {
        "start_date": start.date(), "start_time": start.time(), "duration": minutes, "timezone": zone,
    }  # fmt: skip
    times = settle({}, written)
    assert settle({}, times) == times


@given(start=STARTS, days=st.integers(-400, 400), minutes=MINUTES)
@settings(max_examples=200, deadline=None)
def test_moving_an_activity_keeps_its_length(start: datetime, days: int, minutes: int) -> None:
    times = settle({}, {"start_date": start.date(), "start_time": start.time(), "duration": minutes, **BASE})
    moved = settle(times, {"start_date": start.date() + timedelta(days=days)})
    assert moved["duration"] == minutes
    assert moved["end_date"] == times["end_date"] + timedelta(days=days)  # type: ignore[operator]
