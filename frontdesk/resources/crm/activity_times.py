"""When an activity is: its start, its end and its length agree, whichever of them a write gives.

Dates and times are those of a wall clock in the activity's time zone; `duration` is minutes that really pass, so that
a night in which the clocks change is as long as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Plain, Wrong

TIMES = ("start_date", "start_time", "end_date", "end_time", "duration", "timezone")
FIRST_YEAR, LAST_YEAR = 1900, 9000  # far enough from the ends of the calendar for every time zone
LONGEST = 366 * 24 * 60


def check_day(value: Plain) -> Plain:
    if isinstance(value, date) and not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise Wrong("format", f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}", format="date")
    return value


def check_wall_time(value: Plain) -> Plain:
    """A time of the wall clock, to the second; the zone is a field of its own."""
    if isinstance(value, time) and value.tzinfo is not None:
        raise Wrong("format", "must be a time without an offset (HH:mm:ss); `timezone` says where", format="time")
    return value.replace(microsecond=0) if isinstance(value, time) else value


def check_minutes(value: Plain) -> Plain:
    if isinstance(value, int) and value > LONGEST:
        raise Wrong("maximum", f"must be at most {LONGEST} minutes", limit=LONGEST)
    return value


def settle(before: Mapping[str, Plain], given: Mapping[str, Plain]) -> dict[str, Plain]:
    """All of `TIMES`, from what is stored (nothing, for a new activity) and what a write changes. Raises `Invalid`."""
    times: dict[str, Plain] = {name: given.get(name, before.get(name)) for name in TIMES}
    _follow_the_start(times, before, given)
    for name, base in (("start_time", "start_date"), ("end_date", "start_date"), ("end_time", "start_time")):
        if times[name] is not None and times[base] is None:
            raise _fault(name, "dependentRequired", f"needs a {base}")
    if times["start_time"] is not None:
        _settle_hours(times, given)
    elif _day(times, "end_date") < _day(times, "start_date"):
        raise _fault("end_date", "minimum", "is before start_date")
    return times


def _follow_the_start(times: dict[str, Plain], before: Mapping[str, Plain], given: Mapping[str, Plain]) -> None:
    """What was not given goes with the start: moved by as many days as it, or taken away with it."""
    if times["start_date"] is None:
        times |= {name: None for name in ("start_time", "end_date") if name not in given}
    if times["start_time"] is None and "end_time" not in given:
        times["end_time"] = None
    old, new, end = before.get("start_date"), given.get("start_date"), before.get("end_date")
    if isinstance(old, date) and isinstance(new, date) and isinstance(end, date) and "end_date" not in given:
        times["end_date"] = min(end + (new - old), date(LAST_YEAR, 12, 31))


def _settle_hours(times: dict[str, Plain], given: Mapping[str, Plain]) -> None:
    gives_end = any(given.get(name) is not None for name in ("end_date", "end_time"))
    gives_duration = given.get("duration") is not None
    if "duration" in given and not gives_duration and not gives_end:
        times |= {"end_date": None, "end_time": None}
    elif "end_time" in given and times["end_time"] is None and not gives_duration:
        times["duration"] = None
    elif gives_duration:
        _end_by_duration(times, given)
    elif times["end_time"] is not None and (gives_end or times["duration"] is None):
        times["end_date"] = times["end_date"] or times["start_date"]
        times["duration"] = _minutes(times)
    elif times["duration"] is not None:
        # Only the start was moved, or the time zone: it lasts as long as before.
        _end_by_duration(times, given)


def _end_by_duration(times: dict[str, Plain], given: Mapping[str, Plain]) -> None:
    zone = ZoneInfo(str(times["timezone"]))
    minutes = times["duration"]
    assert isinstance(minutes, int)
    end = (_moment(times, "start") + timedelta(minutes=minutes)).astimezone(zone)
    derived: dict[str, Plain] = {"end_date": end.date(), "end_time": end.time()}
    said = {name: value for name in derived if (value := given.get(name)) is not None}
    if any(derived[name] != value for name, value in said.items()):
        whole = {**times, "end_date": said.get("end_date", times["start_date"])}
        if "end_time" not in said or _minutes(whole) != minutes:
            raise _fault("duration", "const", f"contradicts start and end: with it, the end is {end:%Y-%m-%d %H:%M:%S}")
        derived = {"end_date": whole["end_date"], "end_time": said["end_time"]}
    times |= derived


def _minutes(times: Mapping[str, Plain]) -> int:
    """Whole minutes from start to end."""
    minutes = (_moment(times, "end") - _moment(times, "start")) // timedelta(minutes=1)
    if minutes < 0:
        raise _fault("end_time", "minimum", "is before the start; an end on another day needs its end_date")
    if minutes > LONGEST:
        raise _fault("end_date", "maximum", f"is more than {LONGEST} minutes after the start")
    return minutes


def _moment(times: Mapping[str, Plain], which: str) -> datetime:
    day, clock = times[f"{which}_date"], times[f"{which}_time"]
    assert isinstance(day, date)
    assert isinstance(clock, time)
    return datetime.combine(day, clock, ZoneInfo(str(times["timezone"]))).astimezone(UTC)


def _day(times: Mapping[str, Plain], name: str) -> date:
    """The date, or for a missing end that of the start."""
    day = times[name] or times["start_date"]
    return day if isinstance(day, date) else date.max


def _fault(path: str, keyword: str, message: str) -> Invalid:
    return Invalid([Fault(path, keyword, message)])
