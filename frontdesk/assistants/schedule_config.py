"""`schedule_config`: when the assistant works, in the wall time of its `timezone`."""

from __future__ import annotations

from datetime import date, time
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from frontdesk.assistants.section import Section, clean

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _wall_time(text: str) -> str:
    hours, colon, minutes = text.partition(":")
    fits = colon and len(hours) == len(minutes) == 2 and (hours + minutes).isascii() and (hours + minutes).isdigit()
    if not fits or int(minutes) > 59 or int(hours) * 60 + int(minutes) > 24 * 60:
        raise ValueError("must be a time as HH:MM, from 00:00 to 24:00")
    return text


def _calendar_date(text: str) -> str:
    try:
        parsed = date.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a date as YYYY-MM-DD") from None
    if parsed.isoformat() != text:
        raise ValueError("must be a date as YYYY-MM-DD")
    return text


WallTime = Annotated[str, AfterValidator(_wall_time)]
CalendarDate = Annotated[str, AfterValidator(_calendar_date)]


def minutes_of(text: str) -> int:
    """Minutes since midnight, 0 to 1440."""
    return int(text[:2]) * 60 + int(text[3:])


def time_of(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


class Hours(Section):
    """A range of wall time. `to` not after `from` means: into the next day (22:00 to 06:00; 09:00 to 09:00 is 24 h)."""

    start: WallTime = Field(alias="from")
    end: WallTime = Field(alias="to")

    @model_validator(mode="after")
    def _begins(self) -> Hours:
        if self.start == "24:00":
            raise ValueError("must begin before 24:00")
        return self

    @property
    def minutes(self) -> tuple[int, int]:
        """Begin and end in minutes since midnight of the day it begins on; the end may be over 1440."""
        start, end = minutes_of(self.start), minutes_of(self.end)
        return start, end if end > start else end + 24 * 60


class WeeklyHours(Hours):
    days: list[Day] = Field(min_length=1, max_length=7)


class ScheduleException(Section):
    """A date that differs from its weekday: closed, or with ranges of its own. `yearly` repeats month and day."""

    date: CalendarDate
    closed: bool = False
    ranges: list[Hours] = Field(default_factory=list, max_length=24)
    yearly: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> ScheduleException:
        if self.closed and self.ranges:
            raise ValueError("must be either closed or have ranges, not both")
        if not self.closed and not self.ranges:
            raise ValueError("must be closed or have at least one range")
        return self


class OutOfSchedule(Section):
    """What a customer gets outside the hours; `once_per_hours` keeps `message` from being repeated (0: each time)."""

    action: Literal["reply", "message", "silent", "handoff"] = "silent"
    message: Annotated[str, StringConstraints(min_length=1, max_length=4_000), AfterValidator(clean)] | None = None
    once_per_hours: Annotated[int, Field(ge=0, le=720)] = 12

    @model_validator(mode="after")
    def _has_its_message(self) -> OutOfSchedule:
        if self.action == "message" and not self.message:
            raise ValueError("must have a message when its action is message")
        return self


class ScheduleConfig(Section):
    """Not enabled means always open."""

    enabled: bool = False
    weekly: list[WeeklyHours] = Field(default_factory=list, max_length=200)
    exceptions: list[ScheduleException] = Field(default_factory=list, max_length=400)
    out_of_schedule: OutOfSchedule = OutOfSchedule()

    @cached_property
    def weekly_minutes(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """The ranges of each weekday, Monday first."""
        return tuple(tuple(sorted(row.minutes for row in self.weekly if day in row.days)) for day in DAYS)

    @cached_property
    def exception_minutes(self) -> dict[str, tuple[tuple[int, int], ...]]:
        """The ranges of each exception by `YYYY-MM-DD`, or `MM-DD` for a yearly one; later entries win."""
        return {
            (entry.date[5:] if entry.yearly else entry.date): tuple(sorted(row.minutes for row in entry.ranges))
            for entry in self.exceptions
        }
