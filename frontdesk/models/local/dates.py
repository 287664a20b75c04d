"""Dates as people say them, in English and Spanish. A small model gets them wrong, arithmetic does not."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from frontdesk.models.local.text import plain

RELATIVE = {
    "today": 0, "hoy": 0, "tonight": 0, "tomorrow": 1, "manana": 1, "yesterday": -1, "ayer": -1,
    "day after tomorrow": 2, "pasado manana": 2,
}  # fmt: skip
WEEKDAYS = {
    name: number
    for number, names in enumerate(
        ("monday lunes", "tuesday martes", "wednesday miercoles", "thursday jueves", "friday viernes",
         "saturday sabado", "sunday domingo")
    )
    for name in names.split()
}  # fmt: skip
MONTHS = {
    name: number
    for number, names in enumerate(
        ("january enero", "february febrero", "march marzo", "april abril", "may mayo", "june junio", "july julio",
         "august agosto", "september septiembre", "october octubre", "november noviembre", "december diciembre"),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
NUMERIC = re.compile(r"\b(\d{1,2})[/.](\d{1,2})(?:[/.](\d{2,4}))?\b")
DAY_MONTH = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)? (?:de |of )?([a-z]+)(?: (?:de )?(\d{4}))?\b")
MONTH_DAY = re.compile(r"\b([a-z]+) (\d{1,2})(?:st|nd|rd|th)?(?:,? (\d{4}))?\b")
IN_DAYS = re.compile(r"\b(?:in|en|dentro de) (\d{1,3}) (day|days|dia|dias|week|weeks|semana|semanas)\b")
CLOCK = re.compile(
    r"\b(\d{1,2})(?::(\d{2}))? ?(am|pm|h)\b|\b(\d{1,2}):(\d{2})\b|\b(?:at|a las?) (\d{1,2})(?::(\d{2}))?\b"
)
AFTERNOON = re.compile(r"\b(de la tarde|de la noche|pm|in the afternoon|in the evening)\b")


def find_date(text: str, today: date) -> date | None:
    """The day that a text names, seen from `today`; None when it names none or an impossible one."""
    words = plain(text, keep="-/.:,")
    try:
        return _written(words, today) or _relative(words, today)
    except ValueError:
        return None


def _written(words: str, today: date) -> date | None:
    if found := ISO.search(words):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if found := NUMERIC.search(words):
        return _coming(int(found[1]), int(found[2]), _year(found[3]), today)
    for found in DAY_MONTH.finditer(words):
        if found[2] in MONTHS:
            return _coming(int(found[1]), MONTHS[found[2]], _year(found[3]), today)
    for found in MONTH_DAY.finditer(words):
        if found[1] in MONTHS:
            return _coming(int(found[2]), MONTHS[found[1]], _year(found[3]), today)
    return None


def _relative(words: str, today: date) -> date | None:
    for phrase in sorted(RELATIVE, key=len, reverse=True):
        # «por la mañana» is a part of the day.
        if re.search(rf"(?<!la )\b{phrase}\b", words):
            return today + timedelta(days=RELATIVE[phrase])
    if found := IN_DAYS.search(words):
        return today + timedelta(days=int(found[1]) * (7 if found[2][0] in "ws" else 1))
    for name, number in WEEKDAYS.items():
        if re.search(rf"\b{name}\b", words):
            return today + timedelta(days=(number - today.weekday()) % 7 or 7)
    return None


def _year(text: str | None) -> int | None:
    return None if text is None else int(text) + (2000 if len(text) == 2 else 0)


def _coming(day: int, month: int, year: int | None, today: date) -> date:
    """Without a year the next such day is meant."""
    found = date(year or today.year, month, day)
    return found if year or found >= today else found.replace(year=found.year + 1)


def find_time(text: str) -> time | None:
    words = plain(text, keep=":")
    found = CLOCK.search(words)
    if not found:
        return None
    hour = int(found[1] or found[4] or found[6])
    minute = int(found[2] or found[5] or found[7] or 0)
    if hour < 12 and (found[3] == "pm" or AFTERNOON.search(words)):
        hour += 12
    return time(hour, minute) if hour < 24 and minute < 60 else None


def resolve(text: str, format_: str, now: datetime) -> str | None:
    """`text` in a JSON Schema format (`date`, `time`, `date-time` in the zone of `now`); None if it cannot be."""
    clock = find_time(text)
    if format_ == "time":
        return clock.isoformat("minutes") if clock else None
    day = find_date(text, now.date())
    if day is None:
        return None
    if format_ == "date":
        return day.isoformat()
    return datetime.combine(day, clock, now.tzinfo).isoformat() if clock else None
