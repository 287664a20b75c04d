"""The clock on the wall, at ordinary hours and in the nights in which it changes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.assistants.schedule import next_opening, opening
from frontdesk.assistants.schedule_config import DAYS, ScheduleConfig
from frontdesk.assistants.section import read

DAILY = list(DAYS)


def schedule(*ranges, days=DAILY, exceptions=()):
    weekly = [{"days": days, "from": start, "to": end} for start, end in ranges]
    value = {"enabled": True, "weekly": weekly, "exceptions": list(exceptions)}
    return read(ScheduleConfig, value, "schedule_config")


def at(text, zone="UTC"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def is_open(config, text, zone="UTC"):
    return opening(config, zone, datetime.fromisoformat(text).replace(tzinfo=UTC)).is_open


def test_without_a_schedule_it_is_always_open() -> None:
    found = opening(ScheduleConfig(), "UTC", at("2026-03-01T03:00"))
    assert (found.is_open, found.why, found.config_path) == (True, "always_open", "schedule_config.enabled")


@pytest.mark.parametrize(
    ("wall", "expected"),
    [("08:59", False), ("09:00", True), ("12:59", True), ("13:00", False), ("15:30", True), ("18:00", False)],
)
def test_a_range_begins_inclusive_and_ends_exclusive(wall, expected) -> None:
    config = schedule(("09:00", "13:00"), ("14:00", "18:00"))
    assert opening(config, "America/Bogota", at(f"2026-03-02T{wall}", "America/Bogota")).is_open is expected


def test_only_its_days_count() -> None:
    config = schedule(("09:00", "18:00"), days=["mon", "tue"])
    assert is_open(config, "2026-03-03T10:00")
    assert not is_open(config, "2026-03-04T10:00")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [("2026-03-06T21:59", False), ("2026-03-06T22:00", True), ("2026-03-07T05:59", True), ("2026-03-07T06:00", False),
     ("2026-03-07T23:00", False)],
)  # fmt: skip
def test_a_range_over_midnight_belongs_to_the_day_it_begins_on(moment, expected) -> None:
    assert is_open(schedule(("22:00", "06:00"), days=["fri"]), moment) is expected


def test_equal_times_are_a_whole_day() -> None:
    config = schedule(("09:00", "09:00"), days=["mon"])
    assert is_open(config, "2026-03-02T09:00")
    assert is_open(config, "2026-03-03T08:59")
    assert not is_open(config, "2026-03-03T09:00")


def test_until_24_00_is_until_midnight() -> None:
    config = schedule(("20:00", "24:00"), days=["mon"])
    assert is_open(config, "2026-03-02T23:59")
    assert not is_open(config, "2026-03-03T00:00")


def test_an_exception_replaces_its_date() -> None:
    closed = {"date": "2026-03-02", "closed": True}
    short = {"date": "2026-03-03", "ranges": [{"from": "10:00", "to": "11:00"}]}
    config = schedule(("09:00", "18:00"), exceptions=[closed, short])
    found = opening(config, "UTC", at("2026-03-02T10:00"))
    assert (found.is_open, found.why, found.next_opening) == (False, "closed_date", at("2026-03-03T10:00"))
    assert is_open(config, "2026-03-03T10:30")
    assert not is_open(config, "2026-03-03T12:00")


def test_a_yearly_exception_comes_every_year() -> None:
    config = schedule(("09:00", "18:00"), exceptions=[{"date": "2024-12-25", "closed": True, "yearly": True}])
    assert not is_open(config, "2026-12-25T10:00")
    assert not is_open(config, "2031-12-25T10:00")


@pytest.mark.parametrize(
    ("now", "opens"),
    [("2026-03-02T10:00", "2028-02-29T10:00"), ("2028-02-29T12:00", "2032-02-29T10:00"),
     ("2096-02-29T12:00", "2104-02-29T10:00")],
)  # fmt: skip
def test_the_29th_of_february_comes_in_leap_years_alone(now: str, opens: str) -> None:
    leap = {"date": "2024-02-29", "ranges": [{"from": "10:00", "to": "11:00"}], "yearly": True}
    config = schedule(exceptions=[leap])
    assert opening(config, "UTC", at(now)).next_opening == at(opens)
    assert not is_open(config, "2027-02-28T10:30")
    assert not is_open(config, "2027-03-01T10:30")


def test_an_exact_date_beats_a_yearly_one() -> None:
    yearly = {"date": "2020-12-24", "closed": True, "yearly": True}
    exact = {"date": "2026-12-24", "ranges": [{"from": "09:00", "to": "12:00"}]}
    config = schedule(("09:00", "18:00"), exceptions=[exact, yearly])
    assert is_open(config, "2026-12-24T10:00")
    assert not is_open(config, "2027-12-24T10:00")


def test_the_night_before_a_closed_date_runs_to_its_end() -> None:
    config = schedule(("22:00", "04:00"), exceptions=[{"date": "2026-03-03", "closed": True}])
    assert is_open(config, "2026-03-03T03:00")
    assert not is_open(config, "2026-03-03T22:30")


# zone, the night's date: 01:00–02:30 or so is left out, or comes twice
GAPS = [
    ("America/New_York", "2026-03-08", "02:30", "03:00"),
    ("Europe/Madrid", "2026-03-29", "02:30", "03:00"),
    ("Australia/Sydney", "2026-10-04", "02:30", "03:00"),
    ("America/Santiago", "2026-09-06", "00:30", "01:00"),
    ("Africa/Cairo", "2026-04-24", "00:30", "01:00"),
    ("Australia/Lord_Howe", "2026-10-04", "02:15", "02:30"),
    ("America/Asuncion", "2024-10-06", "00:30", "01:00"),
]
FOLDS = [
    ("America/New_York", "2026-11-01", "01:30"),
    ("Europe/Madrid", "2026-10-25", "02:30"),
    ("Australia/Sydney", "2026-04-05", "02:30"),
    ("America/Santiago", "2026-04-04", "23:30"),
    ("Africa/Cairo", "2026-10-29", "23:30"),
    ("Australia/Lord_Howe", "2026-04-05", "01:45"),
]


@pytest.mark.parametrize(("zone", "date", "missing", "after"), GAPS)
def test_a_range_that_begins_in_a_left_out_hour_opens_when_the_clock_has_jumped(zone, date, missing, after) -> None:
    config = schedule((missing, "12:00"))
    before = at(f"{date}T{after}", zone) - timedelta(0)
    instant = before.astimezone(UTC)
    found = opening(config, zone, instant - timedelta(minutes=1))
    assert (found.is_open, found.next_opening) == (False, instant)
    assert opening(config, zone, instant).is_open


@pytest.mark.parametrize(("zone", "date", "missing", "after"), GAPS)
def test_a_range_within_a_left_out_hour_does_not_open_that_night(zone, date, missing, after) -> None:
    start = datetime.strptime(missing, "%H:%M") - timedelta(minutes=5)
    config = schedule((f"{start:%H:%M}", missing))
    evening = at(f"{date}T12:00", zone).astimezone(UTC) - timedelta(hours=14)
    found = next_opening(config, ZoneInfo(zone), evening)
    assert found is not None
    assert found.astimezone(ZoneInfo(zone)).date().isoformat() != date


@pytest.mark.parametrize(("zone", "date", "twice"), FOLDS)
def test_an_hour_that_comes_twice_is_open_twice(zone, date, twice) -> None:
    end = datetime.strptime(twice, "%H:%M") + timedelta(minutes=10)
    config = schedule((twice, f"{end:%H:%M}"))
    first = at(f"{date}T{twice}", zone)
    second = first.replace(fold=1)
    assert first.astimezone(UTC) < second.astimezone(UTC)
    assert opening(config, zone, first).is_open
    assert opening(config, zone, second).is_open
    assert next_opening(config, ZoneInfo(zone), first.astimezone(UTC)) == second.astimezone(UTC)


@pytest.mark.parametrize(("zone", "date", "twice"), FOLDS)
def test_the_clock_turned_back_reopens_a_range_that_had_ended(zone, date, twice) -> None:
    wall = datetime.strptime(twice, "%H:%M")
    config = schedule((f"{wall - timedelta(hours=4):%H:%M}", twice))
    ended = at(f"{date}T{twice}", zone).astimezone(UTC)
    again = next_opening(config, ZoneInfo(zone), ended)
    assert not opening(config, zone, ended).is_open
    assert again is not None
    assert again - ended <= timedelta(hours=1)
    assert opening(config, zone, again).is_open


def test_a_schedule_that_never_opens_has_no_next_opening() -> None:
    assert opening(schedule(), "Europe/Madrid", at("2026-03-02T10:00")).next_opening is None


def test_a_single_date_beyond_the_horizon_is_found() -> None:
    config = schedule(exceptions=[{"date": "2029-05-05", "ranges": [{"from": "10:00", "to": "11:00"}]}])
    assert opening(config, "UTC", at("2026-03-02T10:00")).next_opening == at("2029-05-05T10:00")


def test_a_change_of_the_clock_does_not_hide_the_midnight_before_it() -> None:
    """The night of 29 March 2026 in Madrid: open from midnight, the clocks go forward at two."""
    config = schedule(("00:00", "00:00"), days=["sun"])
    found = opening(config, "Europe/Madrid", at("2026-03-26T10:00", "Europe/Madrid"))
    assert found.next_opening == at("2026-03-29T00:00", "Europe/Madrid").astimezone(UTC)


times = st.integers(0, 24 * 60 - 1).map(lambda minutes: f"{minutes // 60:02}:{minutes % 60:02}")
zones = st.sampled_from(
    ["UTC", "America/New_York", "Europe/Madrid", "America/Santiago", "Australia/Lord_Howe", "Asia/Kolkata"]
)
rows = st.tuples(st.lists(st.sampled_from(DAYS), min_size=1, max_size=3), times, times)


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, min_size=1, max_size=3), zones, st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))
def test_the_next_opening_is_open_and_nothing_before_it_is(rows, zone, naive) -> None:
    value = {"enabled": True, "weekly": [{"days": days, "from": a, "to": b} for days, a, b in rows]}
    config, now = ScheduleConfig.model_validate(value), naive.replace(tzinfo=UTC)
    found = opening(config, zone, now)
    if found.is_open:
        return
    assert found.next_opening is not None
    assert opening(config, zone, found.next_opening).is_open
    step = (found.next_opening - now) / 40
    assert not any(opening(config, zone, now + step * i).is_open for i in range(1, 40))
