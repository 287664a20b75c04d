"""What a change of a conversation brings with it: one owner, a new epoch, the end or the begin of an episode.

Pure rules of a stored row and the values that are asked for: a PATCH applies them to one row, a bulk action to each of
a batch, so that the two can never differ (design: who may speak).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from frontdesk.core.fields import Plain

OVER = ("closed", "resolved")  # the episode has ended; only a ticket can be resolved
OWNERS = ("assigned_user_id", "assigned_ai_assistant_id")
# The columns that the rules look at.
SEEN = ("status", *OWNERS, "epoch", "episode")


def consequences(before: Mapping[str, object], given: Mapping[str, Plain], now: datetime) -> dict[str, Plain]:
    """All that is to be written, `given` included."""
    data = dict(given)
    for name, other in zip(OWNERS, reversed(OWNERS), strict=True):
        if data.get(name) is not None:
            data[other] = None
    changes_owner = any(name in data and data[name] != before[name] for name in OWNERS)
    if changes_owner:
        _explain_owner(before, data, now)
    is_over = data.get("status", before["status"]) in OVER
    changes_episode = is_over != (before["status"] in OVER)
    cuts = data.get("ai_context_cut") is not None
    if changes_episode and is_over:
        data["waiting_since"] = None
    if changes_episode or cuts:
        data["episode"] = int(str(before["episode"])) + (1 if cuts or not is_over else 0)
        if changes_episode and not is_over:
            # A new episode: nothing from before its begin is given to an assistant.
            data.setdefault("ai_context_cut", now)
    if changes_owner or changes_episode or cuts:
        data["epoch"] = int(str(before["epoch"])) + 1
    return data


TURNING_POINTS = {
    "closed": "Its episode ended.",
    "reopened": "A new episode began.",
    "assigned": "Somebody got it: a person, or an assistant.",
    "taken_over": "A person took it from an assistant.",
    "handed_off": "An assistant gave it to a person, a team or the queue; `handoff_reason` and `owner_reason` say why.",
}


def turning_points(before: Mapping[str, object], written: Mapping[str, Plain]) -> tuple[str, ...]:
    """What the change means beyond an updated row: the names of its further events."""
    after = {**before, **written}
    points: list[str] = []
    if (after["status"] in OVER) != (before["status"] in OVER):
        points.append("closed" if after["status"] in OVER else "reopened")
    if any(after[name] != before[name] for name in OWNERS):
        person, assistant = (after[name] for name in OWNERS)
        was_assistants = before["assigned_ai_assistant_id"] is not None
        if person is not None and was_assistants:
            points.append("taken_over")
        elif person is not None or assistant is not None:
            points.append("assigned")
        elif was_assistants:
            points.append("handed_off")
    return tuple(points)


def _explain_owner(before: Mapping[str, object], data: dict[str, Plain], now: datetime) -> None:
    """An assistant that gets the conversation (back) may speak again; a person who takes it stops it."""
    if data.get("assigned_ai_assistant_id") is not None:
        data |= {
            "ai_auto_assignment_disabled": False,
            "ai_auto_assignment_disabled_reason": None,
            "handed_off_by_ai_assistant_id": None,
            "owner_reason": None,
            "handoff_reason": None,
            "assigned_team_id": None,
            "handed_off_at": None,
            "handoff_return_at": None,
            "ai_shared": None,
        }
    elif data.get("assigned_user_id") is not None:
        data["owner_reason"] = None
    if data.get("assigned_user_id") is not None and before["assigned_ai_assistant_id"] is not None:
        data.setdefault("ai_auto_assignment_disabled", True)
        data.setdefault("ai_auto_assignment_disabled_reason", "takeover")
        data["handed_off_at"] = now
        data["handed_off_by_ai_assistant_id"] = before["assigned_ai_assistant_id"]  # type: ignore[assignment]
