"""Why a turn may not go on, and what became of its inbounds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from frontdesk.runtime.overtaking import is_overtaken, reason_of
from frontdesk.runtime.thread import Conversation
from frontdesk.runtime.turns import Turn

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
TALK = Conversation(1, 1, 1, "webchat", None, "open", None, 5, None, False, None, None, False, False, 3, 8)
TURN = Turn(1, 1, 1, 5, 1, 3, "running", False, NOW, None, "t", NOW + timedelta(seconds=9), 1, False, None, 8, 8, None,
            0, NOW)  # fmt: skip


def test_a_turn_of_the_present_epoch_goes_on() -> None:
    assert not is_overtaken(TALK, TURN)


@pytest.mark.parametrize(
    ("talk", "turn", "reason"),
    [(TALK, replace(TURN, superseded_by_message_id=9), "superseded"),
     (replace(TALK, epoch=4, assigned_user_id=7, assigned_ai_assistant_id=None), TURN, "person_took_over"),
     (replace(TALK, epoch=4, status="closed"), TURN, "conversation_closed"),
     (replace(TALK, epoch=4), TURN, "newer_epoch")],
)  # fmt: skip
def test_why_a_turn_is_over(talk: Conversation, turn: Turn, reason: str) -> None:
    assert is_overtaken(talk, turn)
    assert reason_of(talk, turn) == reason


@pytest.mark.parametrize(("seconds", "is_held"), [(0, True), (8, True), (9, False), (60, False)])
def test_a_lease_holds_until_its_expiry(seconds: float, is_held: bool) -> None:
    assert TURN.is_held(NOW + timedelta(seconds=seconds)) is is_held


def test_a_turn_that_has_never_run_gathers() -> None:
    assert replace(TURN, status="waiting", attempts=0, lease_token=None).is_gathering
    assert not replace(TURN, status="waiting", attempts=1, lease_token=None).is_gathering
