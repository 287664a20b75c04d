"""What a bulk action sets: the values of each action, under the names of a PATCH, checked as a PATCH checks them."""

from __future__ import annotations

from collections.abc import Mapping

from frontdesk.core.database import Connection
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Plain

from .bulk_hand_backs import HAND_BACK
from .conversation_place import PLACE, place

# The values of each action; of `move`, one of the two is enough.
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "assign": ("assigned_user_id",),
    "update_status": ("status",),
    "assign_ai_assistant": ("assigned_ai_assistant_id",),
    "move": PLACE,
    HAND_BACK: ("assigned_ai_assistant_id",),
}
VALUES = tuple(dict.fromkeys(name for names in ACTIONS.values() for name in names))
MEMBER = "SELECT true FROM members WHERE organization_id = $1 AND user_id = $2 AND deleted_at IS NULL"
ASSISTANT = "SELECT assistant_type FROM ai_assistants WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"


def changes_of(action: str, given: Mapping[str, Plain]) -> dict[str, Plain]:
    """The values of the action. A value of another one is refused: it would be silently lost."""
    own = ACTIONS[action]
    faults = [Fault(name, "not", f"is no value of '{action}'") for name in VALUES if name in given and name not in own]
    # A hand-back needs no value: each conversation goes to the assistant that had it.
    if action != HAND_BACK and not any(name in given for name in own):
        faults.append(Fault(own[-1], "required", f"is required for '{action}'", missingProperty=own[-1]))
    if faults:
        raise Invalid(faults)
    return {name: given[name] for name in own if name in given}


async def check_changes(connection: Connection, organization_id: int, changes: Mapping[str, Plain]) -> dict[str, Plain]:
    """The values as they are written, each reference to a live row of the organization. Raises `Invalid`."""
    user_id, assistant_id = changes.get("assigned_user_id"), changes.get("assigned_ai_assistant_id")
    if user_id is not None and not await connection.fetchval(MEMBER, organization_id, user_id):
        raise Invalid([Fault("assigned_user_id", "reference", "names no row of users")])
    if assistant_id is not None:
        found = await connection.fetchval(ASSISTANT, organization_id, assistant_id)
        if found is None:
            raise Invalid([Fault("assigned_ai_assistant_id", "reference", "names no row of ai-assistants")])
        if found != "conversation":
            message = f"is an assistant of the type {found}; a conversation takes one of the type conversation"
            raise Invalid([Fault("assigned_ai_assistant_id", "assistantType", message)])
    return {**changes, **await place(connection, organization_id, changes)}
