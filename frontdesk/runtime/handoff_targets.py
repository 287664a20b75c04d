"""To whom a hand-off goes: the strategies, over the people who are there at this moment."""

from __future__ import annotations

from dataclasses import dataclass

from frontdesk.assistants.departed import HANDOFF_LOCK
from frontdesk.assistants.handoff_config import Target
from frontdesk.core.database import Connection

# `place` is the order of the configuration; of a team, that of joining. `given` is the last hand-off of this assistant.
CANDIDATES = """
    SELECT m.user_id, row_number() OVER (ORDER BY array_position($3::bigint[], m.user_id), t.id, m.id) AS place,
        (SELECT max(h.id) FROM ai_handoffs h
            WHERE h.organization_id = $1 AND h.from_ai_assistant_id = $2 AND h.to_user_id = m.user_id) AS given,
        (SELECT count(*) FROM conversations c
            WHERE c.organization_id = $1 AND c.assigned_user_id = m.user_id AND c.status IN ('open', 'pending')
                AND c.deleted_at IS NULL) AS load
    FROM members m
    LEFT JOIN team_members t ON t.organization_id = $1 AND t.user_id = m.user_id AND t.team_id = $4
    WHERE m.organization_id = $1 AND m.deleted_at IS NULL AND m.is_available
        AND (m.user_id = ANY($3::bigint[]) OR t.id IS NOT NULL)
"""
# Whether there is anybody in it; null where there is no such team.
TEAM = """
    SELECT EXISTS (SELECT FROM team_members m WHERE m.organization_id = $1 AND m.team_id = t.id)
    FROM teams t WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """Who has it now. Without a user it waits, and `waits` is the code that says why."""

    user_id: int | None = None
    team_id: int | None = None
    waits: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who is there: the place in the configuration, the last hand-off they got, what they have open."""

    user_id: int
    place: int
    given: int | None
    load: int


def pick(candidates: list[Candidate], strategy: str) -> Candidate | None:
    """Pure, so that it can be tried without a database. Equal loads take turns."""
    if not candidates:
        return None
    if strategy == "fixed":
        return min(candidates, key=lambda c: c.place)
    if strategy == "round_robin":
        return min(candidates, key=lambda c: (c.given or 0, c.place))
    return min(candidates, key=lambda c: (c.load, c.given or 0, c.place))


async def choose(connection: Connection, organization_id: int, assistant_id: int, target: Target) -> Choice:
    """Apply the target. Whoever chooses next waits for the end of this transaction."""
    if target.type == "queue":
        return Choice(waits="handoff_queue")
    team_id = target.team_id if target.type == "team" else None
    if team_id is not None:
        has_members = await connection.fetchval(TEAM, organization_id, team_id)
        if has_members is None:
            return Choice(waits="handoff_team_deleted")
        if target.strategy == "fixed":
            # A team that was emptied has nobody who would look into its queue.
            return Choice(None, team_id, "handoff_team" if has_members else "handoff_nobody_available")
    # Without it fifty at once would all find the same person free.
    await connection.execute(HANDOFF_LOCK, organization_id)
    user_ids = target.user_ids if target.type == "user" else []
    rows = await connection.fetch(CANDIDATES, organization_id, assistant_id, user_ids, team_id)
    found = pick([Candidate(row["user_id"], row["place"], row["given"], row["load"]) for row in rows], target.strategy)
    if found is None:
        return Choice(None, team_id, "handoff_nobody_available")
    return Choice(found.user_id, team_id)
