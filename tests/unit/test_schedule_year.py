"""A whole leap year in six zones, against a list of every open five minutes that is made from the calendar alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from frontdesk.assistants.schedule import next_opening, opening
from frontdesk.assistants.schedule_config import DAYS, ScheduleConfig

# Without a change, by an hour in the north, by half an hour in the south, off the hour, and around Ramadan.
ZONES = ["America/Bogota", "Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
         "Africa/Casablanca"]  # fmt: skip
YEAR = 2028
FIVE = timedelta(minutes=5)


def hours(start, end, days=()):
    return {"from": start, "to": end} | ({"days": list(days)} if days else {})


OFFICE = {
    "weekly": [
        hours("09:00", "13:00", ["mon", "tue", "wed", "thu", "fri"]), hours("14:30", "18:00", ["mon", "tue", "thu"]),
        hours("22:00", "03:30", ["fri", "sat"]),
    ],
    "exceptions": [
        {"date": "2024-02-29", "yearly": True, "closed": True},
        {"date": "2020-12-24", "yearly": True, "ranges": [hours("09:00", "11:00"), hours("12:00", "12:30")]},
        {"date": "2020-12-31", "yearly": True, "ranges": [hours("22:00", "02:00")]},
        {"date": "2028-12-24", "closed": True},
        {"date": "2028-07-07", "closed": True},
    ],
}  # fmt: skip
# Open and closed again within the hours that are left out or come twice.
NIGHTS = {
    "weekly": [
        hours("23:30", "00:30", DAYS), hours("01:15", "02:00", DAYS), hours("02:15", "02:45", DAYS),
        hours("03:00", "03:05", DAYS), hours("09:00", "09:00", ["wed"]), hours("20:00", "24:00", ["tue"]),
    ],
    "exceptions": [
        {"date": "2028-03-26", "ranges": [hours("02:00", "02:30")]},
        {"date": "2028-03-12", "ranges": [hours("02:30", "03:30")]},
        {"date": "2028-10-29", "ranges": [hours("02:30", "02:30")]},
        {"date": "2028-02-29", "ranges": [hours("23:55", "00:05")]},
    ],
}  # fmt: skip


def open_walls(schedule) -> set[datetime]:
    """Each five minutes of wall time, by their begin, that some range covers."""
    found, day = set(), date(YEAR, 1, 1) - timedelta(days=3)
    while day.year <= YEAR or day.day < 4:
        for row in ranges_of(schedule, day):
            midnight = datetime(day.year, day.month, day.day)
            start, end = (midnight + timedelta(hours=int(row[k][:2]), minutes=int(row[k][3:])) for k in ("from", "to"))
            moment, end = start, end if end > start else end + timedelta(days=1)
            while moment < end:
                found.add(moment)
                moment += FIVE
        day += timedelta(days=1)
    return found


def ranges_of(schedule, day: date):
    exact = [entry for entry in schedule["exceptions"] if entry["date"] == str(day) and not entry.get("yearly")]
    yearly = [entry for entry in schedule["exceptions"] if entry["date"][5:] == str(day)[5:] and entry.get("yearly")]
    if exact or yearly:
        return (exact or yearly)[0].get("ranges", [])
    return [row for row in schedule["weekly"] if DAYS[day.weekday()] in row["days"]]


def turns_of(schedule, zone: ZoneInfo) -> Iterator[tuple[datetime, bool]]:
    """The instants of the year at which it opens (True) or closes, the first one being the year's begin."""
    walls, moment, last = open_walls(schedule), datetime(YEAR, 1, 1, tzinfo=UTC), None
    while moment.year == YEAR:
        state = moment.astimezone(zone).replace(tzinfo=None) in walls
        if state is not last:
            yield moment, state
        moment, last = moment + FIVE, state


@pytest.fixture(scope="module", params=["office", "nights"])
def schedule(request: pytest.FixtureRequest):
    return {"office": OFFICE, "nights": NIGHTS}[request.param]


@pytest.mark.parametrize("name", ZONES)
def test_each_opening_and_closing_of_the_year(schedule, name) -> None:
    zone = ZoneInfo(name)
    config = ScheduleConfig.model_validate({"enabled": True, **schedule})
    wrong = []
    for (begin, state), (end, _) in pairwise(turns_of(schedule, zone)):
        last = end - timedelta(minutes=1)
        inside = [begin + (end - begin) / 7 * i for i in range(1, 7)]
        wrong += [at for at in (begin, *inside, last) if opening(config, name, at).is_open is not state]
        if not state:
            wrong += [at for at in (begin, last) if next_opening(config, zone, at) != end]
    assert wrong == []


@pytest.mark.parametrize("name", ZONES)
def test_the_zone_does_change_its_clocks_as_often_as_we_think(name) -> None:
    zone, begin = ZoneInfo(name), datetime(YEAR, 1, 1, tzinfo=UTC)
    offsets = [(begin + timedelta(days=day)).astimezone(zone).utcoffset() for day in range(366)]
    changes = sum(before != after for before, after in pairwise(offsets))
    assert changes == {"America/Bogota": 0, "Asia/Kathmandu": 0}.get(name, 2)
