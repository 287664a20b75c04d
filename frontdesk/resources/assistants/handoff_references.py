"""Whom hand-offs name: users, a team, other assistants. What never was is refused, what is gone is told."""

from __future__ import annotations

import json
from collections.abc import Iterator

from frontdesk.assistants.assistant_handoff_config import cycle_through
from frontdesk.assistants.config import AssistantConfig
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid, Json

# Who has left the organization is still known; who was never in it is not.
USERS = """
    SELECT user_id, bool_or(deleted_at IS NULL) FROM members WHERE organization_id = $1 AND user_id = ANY($2)
    GROUP BY user_id
"""
TEAM = """
    SELECT deleted_at IS NOT NULL AS is_deleted, EXISTS (
        SELECT FROM team_members m WHERE m.organization_id = $1 AND m.team_id = t.id) AS has_members
    FROM teams t WHERE organization_id = $1 AND id = $2
"""
ASSISTANTS = """
    SELECT id, name, assistant_type, deleted_at IS NOT NULL AS is_deleted FROM ai_assistants
    WHERE organization_id = $1 AND id = ANY($2)
"""
ALL_TARGETS = """
    SELECT id, name, ai_assistant_handoff_config::text AS handoff FROM ai_assistants
    WHERE organization_id = $1 AND deleted_at IS NULL AND (ai_assistant_handoff_config ->> 'enabled')::boolean
"""
PEOPLE, OTHERS = "human_handoff_config.target", "ai_assistant_handoff_config.targets"


async def look_at_handoffs(call: Call, config: AssistantConfig) -> list[Json]:
    """Warnings about what is named. Raises `Invalid` for what never was, or is of another type."""
    own_id = call.id if call.before is not None else None
    warned: list[Json] = []
    wrong: list[Fault] = []
    for fault, warning in [*await _people(call, config), *await _assistants(call, config, own_id)]:
        wrong += [fault] if fault else []
        warned += [warning] if warning else []
    if wrong:
        raise Invalid(wrong)
    return [*warned, *(await _cycle(call, config, own_id) if own_id is not None else [])]


Found = tuple[Fault | None, Json]


async def _people(call: Call, config: AssistantConfig) -> list[Found]:
    target, found = config.human_handoff.target, list[Found]()
    if target.user_ids:
        rows = await call.connection.fetch(USERS, call.organization_id, target.user_ids)
        known = {row[0]: row[1] for row in rows}
        for i, id in enumerate(target.user_ids):
            at = f"{PEOPLE}.user_ids.{i}"
            if id not in known:
                found.append((Fault(at, "reference", "names no user of the organization", id=id), None))
            elif not known[id]:
                found.append(
                    (None, _warning(at, "user_gone", f"User {id} has left the organization and gets nothing."))
                )
    if target.team_id is not None:
        at, row = f"{PEOPLE}.team_id", await call.connection.fetchrow(TEAM, call.organization_id, target.team_id)
        if row is None:
            found.append((Fault(at, "reference", "names no row of teams", id=target.team_id), None))
        elif row["is_deleted"]:
            found.append((None, _warning(at, "team_deleted", "The team was deleted; conversations wait in the queue.")))
        elif not row["has_members"]:
            found.append(
                (None, _warning(at, "team_empty", "Nobody is in the team; nobody will see its conversations."))
            )
    return found


async def _assistants(call: Call, config: AssistantConfig, own_id: int | None) -> list[Found]:
    targets, found = config.assistant_handoff.targets, list[Found]()
    if not targets:
        return found
    ids = [target.assistant_id for target in targets]
    rows = {row["id"]: row for row in await call.connection.fetch(ASSISTANTS, call.organization_id, ids)}
    for i, id in enumerate(ids):
        at, row = f"{OTHERS}.{i}.assistant_id", rows.get(id)
        if id == own_id:
            found.append((Fault(at, "self", "is this assistant itself"), None))
        elif row is None:
            found.append((Fault(at, "reference", "names no row of ai-assistants", id=id), None))
        elif row["assistant_type"] != config.assistant_type:
            message = f"is an assistant of the type {row['assistant_type']}, and this one is a {config.assistant_type}"
            found.append((Fault(at, "assistantType", message), None))
        elif row["is_deleted"]:
            found.append((None, _warning(at, "assistant_deleted", f"{row['name']} was deleted and gets nothing.")))
    return found


async def _cycle(call: Call, config: AssistantConfig, own_id: int) -> list[Json]:
    """A way back to this assistant: bounded at run time, and yet a sign that two disagree whose case it is."""
    mine = [target.assistant_id for target in config.assistant_handoff.open_targets]
    if not mine:
        return []
    rows = await call.connection.fetch(ALL_TARGETS, call.organization_id)
    targets = {row["id"]: list(_targets(json.loads(row["handoff"]))) for row in rows} | {own_id: mine}
    way = cycle_through(own_id, targets)
    if way is None:
        return []
    names = {row["id"]: str(row["name"]) for row in rows} | {own_id: config.name}
    message = f"The hand-off comes back to this assistant: {' → '.join(names.get(id, str(id)) for id in way)}."
    return [_warning(OTHERS, "handoff_cycle", message)]


def _targets(stored: Json) -> Iterator[int]:
    targets = stored.get("targets") if isinstance(stored, dict) else None
    for target in targets if isinstance(targets, list) else ():
        if isinstance(target, dict) and isinstance(target.get("assistant_id"), int):
            yield target["assistant_id"]  # type: ignore[misc]


def _warning(field: str, code: str, message: str) -> Json:
    return {"field": field, "code": code, "message": message}
