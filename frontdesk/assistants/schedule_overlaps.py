"""Ranges of a schedule that overlap: one of the two was meant otherwise, so a change that brings them in is refused.

Asked of what is sent only: a stored schedule works, overlapping or not.
"""

from __future__ import annotations

from collections.abc import Iterator

from frontdesk.assistants.schedule_config import DAYS, ScheduleConfig, ScheduleException
from frontdesk.core.errors import Fault

DAY = 24 * 60
WEEK = 7 * DAY
Range = tuple[int, int, int, str]  # begin, end, place in the list, day


def overlap_faults(schedule: ScheduleConfig, at: str) -> list[Fault]:
    """A fault for each row that overlaps with one before it. Ranges that only touch do not overlap."""
    found = {path: Fault(path, "overlap", message) for path, message in _weekly(schedule, at)}
    for i, exception in enumerate(schedule.exceptions):
        found |= {
            path: Fault(path, "overlap", message) for path, message in _of_date(exception, f"{at}.exceptions.{i}")
        }
    return list(found.values())


def _weekly(schedule: ScheduleConfig, at: str) -> Iterator[tuple[str, str]]:
    ranges: list[Range] = []
    for place, row in enumerate(schedule.weekly):
        begin, end = row.minutes
        for day in row.days:
            shift = DAYS.index(day) * DAY
            ranges.append((begin + shift, end + shift, place, day))
            # Sunday's night shift reaches into the Monday on which the week begins anew.
            if end + shift > WEEK:
                ranges.append((begin + shift - WEEK, end + shift - WEEK, place, day))
    for first, second in _pairs(ranges):
        (_, _, other, _), (_, _, place, shared) = sorted((first, second), key=lambda one: one[2])
        if other == place and first[3] == second[3]:
            yield f"{at}.weekly.{place}.days", f"must name {shared} once"
        else:
            yield f"{at}.weekly.{place}", f"overlaps with weekly.{other} on {shared}"


def _of_date(exception: ScheduleException, at: str) -> Iterator[tuple[str, str]]:
    ranges = [(*row.minutes, place, exception.date) for place, row in enumerate(exception.ranges)]
    for first, second in _pairs(ranges):
        other, place = sorted((first[2], second[2]))
        yield f"{at}.ranges.{place}", f"overlaps with ranges.{other} on {exception.date}"


def _pairs(ranges: list[Range]) -> Iterator[tuple[Range, Range]]:
    """Each range with the one before it that reaches furthest, where that one has not ended yet."""
    furthest: Range | None = None
    for one in sorted(ranges):
        if furthest is not None and one[0] < furthest[1] and (one[2:] != furthest[2:] or one[0] == furthest[0]):
            yield furthest, one
        if furthest is None or one[1] > furthest[1]:
            furthest = one
