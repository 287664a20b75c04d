"""Ranges of one day that overlap are refused; those that touch, or cross midnight side by side, are not."""

import pytest

from frontdesk.assistants.schedule_config import ScheduleConfig
from frontdesk.assistants.schedule_overlaps import overlap_faults

WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def row(days, start, end):
    return {"days": days.split(), "from": start, "to": end}


def found(**config):
    return {fault.path: fault.message for fault in overlap_faults(ScheduleConfig.model_validate(config), "s")}


FINE = {
    "apart": [row("mon", "09:00", "12:00"), row("mon", "14:00", "18:00")],
    "touching": [row("mon", "09:00", "12:00"), row("mon", "12:00", "18:00")],
    "other days": [row("mon", "09:00", "12:00"), row("tue", "09:00", "12:00")],
    "around the clock": [{"days": WEEK, "from": "09:00", "to": "09:00"}],
    "nights": [{"days": WEEK, "from": "22:00", "to": "06:00"}, {"days": WEEK, "from": "06:00", "to": "22:00"}],
}
WRONG = {
    "same hours": ([row("mon", "09:00", "12:00")] * 2, {"s.weekly.1": "overlaps with weekly.0 on mon"}),
    "a minute": (
        [row("mon", "09:00", "12:01"), row("sun mon", "12:00", "18:00")],
        {"s.weekly.1": "overlaps with weekly.0 on mon"},
    ),
    "within": (
        [row("fri", "10:00", "11:00"), row("fri", "09:00", "18:00")],
        {"s.weekly.1": "overlaps with weekly.0 on fri"},
    ),
    "over midnight": (
        [row("mon", "22:00", "06:00"), row("tue", "05:00", "08:00")],
        {"s.weekly.1": "overlaps with weekly.0 on tue"},
    ),
    "over the end of the week": (
        [row("mon", "05:00", "08:00"), row("sun", "22:00", "06:00")],
        {"s.weekly.1": "overlaps with weekly.0 on sun"},
    ),
    "a day twice": ([row("mon mon", "09:00", "12:00")], {"s.weekly.0.days": "must name mon once"}),
    "three": (
        [row("mon", "08:00", "20:00"), row("mon", "09:00", "10:00"), row("mon", "11:00", "12:00")],
        {"s.weekly.1": "overlaps with weekly.0 on mon", "s.weekly.2": "overlaps with weekly.0 on mon"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FINE)
def test_what_does_not_overlap_is_fine(name) -> None:
    assert found(weekly=FINE[name]) == {}


@pytest.mark.parametrize("name", WRONG)
def test_what_overlaps_is_named(name) -> None:
    weekly, faults = WRONG[name]
    assert found(weekly=weekly) == faults


def test_the_ranges_of_one_date_do_not_overlap_either() -> None:
    ranges = [{"from": "09:00", "to": "12:00"}, {"from": "11:00", "to": "15:00"}]
    exception = {"date": "2026-12-24", "ranges": ranges}
    assert found(exceptions=[exception]) == {"s.exceptions.0.ranges.1": "overlaps with ranges.0 on 2026-12-24"}
