"""What a change of a conversation brings with it, as rules of a row and the values that are asked for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from frontdesk.core.fields import Plain
from frontdesk.resources.messaging.conversation_change import consequences

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
FREE: dict[str, object] = {
    "status": "open", "assigned_user_id": None, "assigned_ai_assistant_id": None, "epoch": 4, "episode": 2,
}  # fmt: skip
ASSISTANTS, PERSONS = FREE | {"assigned_ai_assistant_id": 7}, FREE | {"assigned_user_id": 3}
CLOSED = FREE | {"status": "closed"}
TAKEN_OVER: dict[str, Plain] = {
    "ai_auto_assignment_disabled": True, "ai_auto_assignment_disabled_reason": "takeover",
    "handed_off_by_ai_assistant_id": 7, "owner_reason": None, "assigned_ai_assistant_id": None, "epoch": 5,
    "handed_off_at": NOW,
}  # fmt: skip
HANDED_BACK: dict[str, Plain] = {
    "ai_auto_assignment_disabled": False, "ai_auto_assignment_disabled_reason": None,
    "handed_off_by_ai_assistant_id": None, "owner_reason": None, "handoff_reason": None, "assigned_user_id": None,
    "epoch": 5, "assigned_team_id": None, "handed_off_at": None, "handoff_return_at": None, "ai_shared": None,
}  # fmt: skip
CASES: list[tuple[str, dict[str, object], dict[str, Plain], dict[str, Plain]]] = [
    ("a mark changes nothing else", FREE, {"unread_count": 0}, {}),
    ("the same owner is no change", ASSISTANTS, {"assigned_ai_assistant_id": 7}, {"assigned_user_id": None}),
    ("a person takes over", ASSISTANTS, {"assigned_user_id": 3}, TAKEN_OVER),
    (
        "a person gets what nobody had", FREE, {"assigned_user_id": 3},
        {"owner_reason": None, "assigned_ai_assistant_id": None, "epoch": 5},
    ),
    ("an assistant gets it back", PERSONS, {"assigned_ai_assistant_id": 7}, HANDED_BACK),
    ("nobody has it any more", PERSONS, {"assigned_user_id": None}, {"epoch": 5}),
    ("its end", FREE, {"status": "closed"}, {"episode": 2, "epoch": 5, "waiting_since": None}),
    ("its end once more", CLOSED, {"status": "closed"}, {}),
    ("its next begin", CLOSED, {"status": "open"}, {"episode": 3, "epoch": 5, "ai_context_cut": NOW}),
    ("a cut of the context", FREE, {"ai_context_cut": NOW}, {"episode": 3, "epoch": 5}),
    ("no cut any more", FREE, {"ai_context_cut": None}, {}),
    ("a ticket that waits", FREE, {"status": "pending"}, {}),
    ("a ticket that is resolved", FREE, {"status": "resolved"}, {"episode": 2, "epoch": 5, "waiting_since": None}),
    ("resolved, then closed", FREE | {"status": "resolved"}, {"status": "closed"}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("before", "given", "more"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_change_brings_just_this(before: dict[str, object], given: dict[str, Plain], more: dict[str, Plain]) -> None:
    assert consequences(before, given, NOW) == {**given, **more}


def test_what_is_said_explicitly_stays() -> None:
    given: dict[str, Plain] = {"assigned_user_id": 3, "ai_auto_assignment_disabled": False}
    assert consequences(ASSISTANTS, given, NOW)["ai_auto_assignment_disabled"] is False
