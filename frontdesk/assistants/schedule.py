"""Is the assistant on duty? Pure functions of (schedule, zone, instant).

The rule is the clock on the wall: the assistant works exactly when the wall clock of its zone shows a time within
a range. So an hour that a summer-time change leaves out opens nothing, and an hour that comes twice is open twice.
A range belongs to the date on which it begins; an exception replaces the ranges that begin on its date, and a night
that began the day before runs to its end.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from frontdesk.assistants.schedule_config import ScheduleConfig, time_of

DAY = 24 * 60
HORIZON_DAYS = 400  # a yearly exception may be the only opening

Why = Literal["always_open", "weekly", "exception", "outside_hours", "closed_date"]


@dataclass(frozen=True, slots=True)
class Opening:
    """The answer with its ground: local time, the ranges (minutes since midnight) of that date, the next opening."""

    is_open: bool
    why: Why
    at: datetime  # in the assistant's zone
    ranges: tuple[tuple[int, int], ...]
    next_opening: datetime | None  # UTC; None when open, or when no opening lies within 400 days

    @property
    def config_path(self) -> str:
        if self.why == "always_open":
            return "schedule_config.enabled"
        return "schedule_config.exceptions" if self.why in ("exception", "closed_date") else "schedule_config.weekly"


def ranges_on(config: ScheduleConfig, day: date) -> tuple[tuple[tuple[int, int], ...], bool]:
    """The ranges that begin on `day`, and whether an exception made them. An exact date beats a yearly one."""
    exceptions = config.exception_minutes
    for key in (day.isoformat(), day.isoformat()[5:]):
        if key in exceptions:
            return exceptions[key], True
    return config.weekly_minutes[day.weekday()], False


def _covers(config: ScheduleConfig, wall: datetime) -> bool:
    minute = wall.hour * 60 + wall.minute
    today, _ = ranges_on(config, wall.date())
    if any(start <= minute < end for start, end in today):
        return True
    night, _ = ranges_on(config, wall.date() - timedelta(days=1))
    return any(minute + DAY < end for _, end in night)


def opening(config: ScheduleConfig, timezone: str, at: datetime) -> Opening:
    """Whether the assistant works at `at` (aware), and why. Raises `ZoneInfoNotFoundError` for an unknown zone."""
    zone = ZoneInfo(timezone)
    wall = at.astimezone(zone)
    ranges, exceptional = ranges_on(config, wall.date())
    if not config.enabled:
        return Opening(True, "always_open", wall, (), None)
    if _covers(config, wall):
        return Opening(True, "exception" if exceptional else "weekly", wall, ranges, None)
    why: Why = "closed_date" if exceptional else "outside_hours"
    return Opening(False, why, wall, ranges, next_opening(config, zone, at))


def next_opening(config: ScheduleConfig, zone: ZoneInfo, at: datetime) -> datetime | None:
    """The first instant after `at` (UTC) at which the wall clock enters a range."""
    today = at.astimezone(zone).date()
    for day in _days(config, today):
        # A change of the next day's night is looked at with that day, whose ranges may begin before it.
        changes = (change for change in _clock_changes(zone, day) if change.astimezone(zone).date() == day)
        moments = {*_range_starts(config, zone, day), *changes}
        for moment in sorted(moments):
            if moment > at and _covers(config, moment.astimezone(zone)):
                return moment
    return None


def _days(config: ScheduleConfig, today: date) -> Iterator[date]:
    """The days ahead, then the dates of exceptions beyond them."""
    for ahead in range(HORIZON_DAYS):
        yield today + timedelta(days=ahead)
    horizon = (today + timedelta(days=HORIZON_DAYS)).isoformat()
    later = {entry.date for entry in config.exceptions if not entry.yearly}
    if "02-29" in config.exception_minutes:
        # It comes every fourth year, and once in a century after eight.
        later |= {f"{year}-02-29" for year in range(today.year, today.year + 9) if isleap(year)}
    yield from map(date.fromisoformat, sorted(day for day in later if day >= horizon))


def _range_starts(config: ScheduleConfig, zone: ZoneInfo, day: date) -> Iterator[datetime]:
    for start, _ in ranges_on(config, day)[0]:
        wall = datetime.combine(day, time_of(start), tzinfo=zone)
        # Both readings of an hour that comes twice; one that is left out is caught at the clock change.
        yield wall.astimezone(UTC)
        yield wall.replace(fold=1).astimezone(UTC)


def _clock_changes(zone: ZoneInfo, day: date) -> Iterator[datetime]:
    """The instant, if any, at which the clocks change between noon before `day` and its noon after it."""
    noon = datetime.combine(day, time_of(12 * 60), tzinfo=zone)
    before = (noon - timedelta(days=1)).astimezone(UTC)
    after = (noon + timedelta(days=1)).astimezone(UTC)
    for low, high in ((before, noon.astimezone(UTC)), (noon.astimezone(UTC), after)):
        old = low.astimezone(zone).utcoffset()
        if old == high.astimezone(zone).utcoffset():
            continue
        # Zones change their clocks on whole minutes, so a minute is exact enough.
        while high - low > timedelta(minutes=1):
            middle = (low + (high - low) / 2).replace(second=0, microsecond=0)
            if middle.astimezone(zone).utcoffset() == old:
                low = middle
            else:
                high = middle
        yield high
