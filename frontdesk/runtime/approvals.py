"""Approvals in the store: a call that waits for a person, what the person said, and what became of it.

An approval holds for one call: it is bound to the hash of tool, arguments and the version of the assistant's record, is
used once, and expires. Nothing that is written in a conversation changes one (rule 11 of a turn).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from frontdesk.assistants.approval_voiding import TOOL_CHANGED
from frontdesk.assistants.approval_words import sentence_of, told_to_model
from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from frontdesk.core.events import emit
from frontdesk.runtime.turns import APPROVALS, Turn

EXPIRES_AFTER = timedelta(hours=24)
# An approval given in the last minute must not be too late for a worker that is being restarted.
USABLE_FOR = timedelta(hours=1)
SECRET = re.compile(
    r"pass(word|wd|phrase|code)?$|secret|token|api_?key|credential|authori[sz]ation|^(pin|cvv|cvc|iban)$"
    r"|(card|account)_?(number|no)$|contraseña|clave",
    re.IGNORECASE,
)
MASK = "••••"

FIND = """
    SELECT id, status, reason, note, expires_at, call_hash, config_version, tool_version, private_to_user_id
    FROM ai_approvals
    WHERE organization_id = $1 AND ai_turn_id = $2 AND call_id = $3 FOR UPDATE
"""
ASK = """
    INSERT INTO ai_approvals (organization_id, conversation_id, ai_turn_id, ai_assistant_id, tool_name, call_id,
        arguments, call_hash, config_version, status, requested_at, expires_at, created_at, updated_at,
        private_to_user_id, tool_version)
    SELECT $1, t.conversation_id, t.id, t.ai_assistant_id, $3, $4, $5, $6, $7, 'pending', $8, $9, $8, $8,
        t.private_to_user_id, $10
    FROM ai_turns t WHERE t.organization_id = $1 AND t.id = $2
    RETURNING id, private_to_user_id
"""
CLOSE = """
    UPDATE ai_approvals SET status = $3, reason = $4, updated_at = $5, version = version + 1
    WHERE organization_id = $1 AND id = $2
"""
PENDING = """
    SELECT min(expires_at), array_agg(DISTINCT tool_name) FROM ai_approvals
    WHERE organization_id = $1 AND ai_turn_id = $2 AND status = 'pending'
"""
# What a waiting turn asked a person for and nobody wants any more: the customer wrote again although the turn's effects
# had started (else its place was taken), or the assistant's record is another one.
VOID = """
    UPDATE ai_approvals p SET status = 'void', updated_at = $4, version = p.version + 1, reason = CASE
        WHEN a.version <> p.config_version OR a.deleted_at IS NOT NULL THEN 'configuration_changed'
        ELSE 'superseded' END
    FROM ai_assistants a
    WHERE p.organization_id = $1 AND p.ai_turn_id = $2 AND p.status = 'pending'
        AND a.organization_id = $1 AND a.id = p.ai_assistant_id
        AND (a.version <> p.config_version OR a.deleted_at IS NOT NULL OR EXISTS (
            SELECT FROM ai_decisions d WHERE d.organization_id = $1 AND d.conversation_id = $3
                AND d.outcome = 'pending' AND d.ai_turn_id IS NULL))
    RETURNING p.id, p.private_to_user_id
"""


@dataclass(frozen=True, slots=True)
class CallToApprove:
    """A call as the model made it. `config_version` is that of the assistant's record as it is now, `tool_version` that
    of an API tool's record or of what an MCP server says of its tool: what was approved for one address is not called
    at another.

    `may_repeat`: the call may be made again under an approval that is used, because it only reads or its intent
    carries a key: a worker died between the use and the outcome.
    """

    call_id: str
    tool_name: str
    arguments: dict[str, Json]
    config_version: int
    may_repeat: bool = False
    tool_version: int | str | None = None

    @property
    def told_version(self) -> str | None:
        """As it is stored."""
        return None if self.tool_version is None else str(self.tool_version)

    @property
    def hash(self) -> str:
        """SHA-256 of what a person approves."""
        parts = [self.tool_name, self.config_version, self.tool_version, self.arguments]
        text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Permit:
    """Whether a call may be made now; `sentence` tells the model why it never will be."""

    state: Literal["granted", "waits", "denied"]
    sentence: str = ""


def why_void(reason: object) -> str:
    """Why nobody need decide any more, for who would have."""
    return sentence_of("void", None if reason is None else str(reason), "ENG")


def masked(value: Json, name: str = "") -> Json:
    """The value with a mask for whatever is called like a secret."""
    if name and SECRET.search(name) and value is not None:
        return MASK
    if isinstance(value, dict):
        return {key: masked(inner, key) for key, inner in value.items()}
    return [masked(inner) for inner in value] if isinstance(value, list) else value


async def permit(connection: Connection, turn: Turn, call: CallToApprove, now: datetime) -> Permit:
    """Ask a person, or use what the person said, in the transaction of the call's effect or intent."""
    row = await connection.fetchrow(FIND, turn.organization_id, turn.id, call.call_id)
    if row is None:
        await _ask(connection, turn, call, now)
        return Permit("waits")
    status, reason = row["status"], row["reason"]
    if status == "used" and call.may_repeat:
        return Permit("granted")
    if status in ("pending", "approved"):
        if row["call_hash"] != call.hash:
            is_tools = row["config_version"] == call.config_version and row["tool_version"] != call.told_version
            status, reason = "void", TOOL_CHANGED if is_tools else "configuration_changed"
        elif row["expires_at"] <= now:
            status = reason = "expired"
        elif status == "pending":
            return Permit("waits")
        else:
            status = "used"
        await connection.execute(CLOSE, turn.organization_id, row["id"], status, reason, now)
        await tell(connection, turn.organization_id, "updated", [(row["id"], row["private_to_user_id"])])
        if status == "used":
            return Permit("granted")
    return Permit("denied", told_to_model(call.tool_name, status, reason, row["note"]))


async def _ask(connection: Connection, turn: Turn, call: CallToApprove, now: datetime) -> None:
    shown = json.dumps(masked(call.arguments))
    row = await connection.fetchrow(
        ASK, turn.organization_id, turn.id, call.tool_name, call.call_id, shown, call.hash, call.config_version, now,
        now + EXPIRES_AFTER, call.told_version,
    )  # fmt: skip
    assert row is not None
    await tell(connection, turn.organization_id, "created", [(row["id"], row["private_to_user_id"])])


async def tell(
    connection: Connection, organization_id: int, happening: Literal["created", "updated"],
    rows: Sequence[tuple[int, int | None]],
) -> None:  # fmt: skip
    """Leave the events; of one that a single user sees there is none, as of its turn."""
    if ids := [id for id, private_to in rows if private_to is None]:
        await emit(connection, organization_id, APPROVALS, happening, *ids)


async def waits_until(connection: Connection, turn: Turn) -> tuple[datetime | None, list[str]]:
    """When the first of the turn's open questions expires, and the tools that they are about."""
    row = await connection.fetchrow(PENDING, turn.organization_id, turn.id)
    assert row is not None
    return row[0], sorted(row[1] or [])


async def void_stale(connection: Connection, turn: Turn, now: datetime) -> bool:
    """Close the questions of a waiting turn that nobody need answer any more. True where the turn goes on now."""
    rows = await connection.fetch(VOID, turn.organization_id, turn.id, turn.conversation_id, now)
    await tell(connection, turn.organization_id, "updated", [(row[0], row[1]) for row in rows])
    return bool(rows)
