"""Open, won or lost: status, dates and reason always agree."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.core.errors import Invalid
from frontdesk.resources.crm.deal_outcome import outcome

NOW, THEN = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
OPEN = {"status": "open", "won_date": None, "lost_date": None, "lost_reason": None}
WON = {**OPEN, "status": "won", "won_date": NOW}
LOST = {**OPEN, "status": "lost", "lost_date": NOW}

CHANGES = {
    "won": ({"status": "won"}, "open", WON),
    "won before": ({"status": "won", "won_date": THEN}, "open", {**WON, "won_date": THEN}),
    "by the date alone": ({"won_date": THEN}, "open", {**WON, "won_date": THEN}),
    "lost": ({"status": "lost"}, "open", LOST),
    "lost with a reason": (
        {"status": "lost", "lost_reason": "Price"}, "open", {**LOST, "lost_reason": "Price"},
    ),
    "lost by the date alone": ({"lost_date": THEN}, "open", {**LOST, "lost_date": THEN}),
    "lost after all": ({"status": "lost"}, "won", LOST),
    "won after all": ({"status": "won"}, "lost", WON),
    "open again": ({"status": "open"}, "lost", OPEN),
    "open again by the date": ({"won_date": None}, "won", OPEN),
    "an empty date and its status": ({"status": "won", "won_date": None}, "open", WON),
    "only the reason": ({"lost_reason": "Time"}, "lost", {"status": "lost", "lost_reason": "Time"}),
    "only the date": ({"won_date": THEN}, "won", {"status": "won", "won_date": THEN}),
    "nothing": ({"won_date": None}, "open", {"status": "open", "won_date": None}),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_what_belongs_together_is_written_together(name: str) -> None:
    given_, stored, written = CHANGES[name]
    assert outcome(given_, stored, NOW) == written  # type: ignore[arg-type]


def id_of(value: object) -> str:
    """The same in every process: a set has no order of its own."""
    return " ".join(sorted(value)) if isinstance(value, set) else str(value)


CONTRADICTIONS = [
    ({"status": "open", "won_date": THEN}, "open", {"won_date"}),
    ({"status": "won", "lost_date": THEN}, "open", {"lost_date"}),
    ({"won_date": THEN, "lost_date": THEN}, "open", {"lost_date"}),
    ({"lost_reason": "Price"}, "open", {"lost_reason"}),
    ({"status": "won", "won_date": None}, "won", {"won_date"}),
    ({"status": "won", "lost_reason": "Price", "lost_date": THEN}, "lost", {"lost_reason", "lost_date"}),
]


@pytest.mark.parametrize(("given_", "stored", "named"), CONTRADICTIONS, ids=id_of)
def test_a_contradiction_names_its_member(given_: dict[str, object], stored: str, named: set[str]) -> None:
    with pytest.raises(Invalid) as refused:
        outcome(given_, stored, NOW)  # type: ignore[arg-type]
    assert set(refused.value.errors) == named


STATES = {"open": OPEN, "won": WON, "lost": LOST}
values = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["open", "won", "lost"]),
        "won_date": st.sampled_from([None, THEN]),
        "lost_date": st.sampled_from([None, THEN]),
        "lost_reason": st.sampled_from([None, "Price"]),
    },
)


@given(values, st.sampled_from(["open", "won", "lost"]))
def test_no_change_leaves_a_status_without_its_date(given_: dict[str, object], stored: str) -> None:
    try:
        result = {**STATES[stored], **outcome(given_, stored, NOW)}  # type: ignore[arg-type]
    except Invalid:
        return
    assert (result["status"] == "won") == (result["won_date"] is not None)
    assert (result["status"] == "lost") == (result["lost_date"] is not None)
    assert result["lost_reason"] is None or result["status"] == "lost"
