"""The turn store: one open turn per conversation, held by a lease with a token and an expiry.

Who writes for a turn says `lease_token = …`; zero rows means that somebody else has it. Superseding and the start of
effects are one conditional update each on the same row, so exactly one of them wins.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from frontdesk.core.database import SOON, Connection
from frontdesk.core.events import emit
from frontdesk.runtime.thread import Conversation

TurnStatus = Literal["waiting", "running", "delivering", "ended"]

APPROVALS = "ai-approvals"  # the resource of calls that wait for a person
LEASE = timedelta(seconds=9)  # renewed every third of it

_COLUMNS = """id, organization_id, conversation_id, ai_assistant_id, config_version, epoch, status, is_muted, due_at,
    burst_deadline, lease_token, lease_expires_at, attempts, effects_started, superseded_by_message_id,
    first_position, last_position, prompt, draft_seq, started_at, fallback_ai_model_id,
    model_failures, model_trials, ai_follow_up_id, approval_waits"""

FIND_OPEN = f"""
    SELECT {_COLUMNS} FROM ai_turns
    WHERE organization_id = $1 AND conversation_id = $2 AND status <> 'ended' FOR UPDATE
"""
OPEN = f"""
    INSERT INTO ai_turns (organization_id, conversation_id, ai_assistant_id, config_version, epoch, status, is_muted,
        due_at, burst_deadline, attempts, effects_started, first_position, last_position, draft_seq, input_tokens,
        output_tokens, created_at, updated_at, private_to_user_id, ai_follow_up_id, lease_token, lease_expires_at,
        started_at, ai_handoff_id)
    VALUES ($1, $2, $3, $4, $5, CASE WHEN $14::text IS NULL THEN 'waiting' ELSE 'running' END, $6, $7, $8,
        CASE WHEN $14 IS NULL THEN 0 ELSE 1 END, false, $9, $10, 0, 0, 0, $11, $11, $12, $13, $14, $15,
        CASE WHEN $14 IS NOT NULL THEN $11::timestamptz END, (
        SELECT max(h.id) FROM ai_handoffs h WHERE h.organization_id = $1 AND h.conversation_id = $2
            AND h.kind = 'assistant' AND h.to_ai_assistant_id = $3 AND h.position >= $9))
    RETURNING {_COLUMNS}, CASE WHEN $14 IS NOT NULL THEN {SOON} END
"""
EXTEND = """
    UPDATE ai_turns SET due_at = $3, last_position = $4, updated_at = $5, version = version + 1
    WHERE organization_id = $1 AND id = $2
"""
BEGIN = f"""
    UPDATE ai_turns SET status = 'running', config_version = $3, is_muted = $4, last_position = $5,
        lease_token = $6, lease_expires_at = $7, attempts = attempts + 1, started_at = coalesce(started_at, $8),
        updated_at = $8, version = version + 1
    WHERE organization_id = $1 AND id = $2 RETURNING {SOON}
"""
RESUME = """
    UPDATE ai_turns SET status = CASE WHEN status = 'waiting' THEN 'running' ELSE status END,
        lease_token = $3, lease_expires_at = $4, updated_at = $5, version = version + 1,
        started_at = coalesce(started_at, $5),
        attempts = CASE WHEN status = 'delivering' THEN attempts ELSE attempts + 1 END
    WHERE organization_id = $1 AND id = $2
"""
# A turn that only waits for its burst window takes the new inbound in; every other one without effects gives way.
SUPERSEDE = """
    UPDATE ai_turns SET superseded_by_message_id = $3, updated_at = $4
    WHERE organization_id = $1 AND conversation_id = $2 AND status <> 'ended' AND NOT effects_started
        AND superseded_by_message_id IS NULL
        AND NOT (status = 'waiting' AND attempts = 0 AND ai_follow_up_id IS NULL)
    RETURNING id, epoch
"""
POSTPONE = """
    UPDATE ai_turns SET status = $4, due_at = $5, error = coalesce($6, error), lease_token = NULL,
        lease_expires_at = NULL, updated_at = $7, version = version + 1
    WHERE organization_id = $1 AND id = $2 AND lease_token = $3 AND status <> 'ended'
    RETURNING id
"""
# The event holds the outcome and no prompt: that is read at /ai-turns. A turn that one user alone sees leaves none.
END = """
    WITH ended AS (
        UPDATE ai_turns SET status = 'ended', end_reason = $3, error = coalesce($4, error), lease_token = NULL,
            lease_expires_at = NULL, draft = NULL, ended_at = $5, updated_at = $5, version = version + 1
        WHERE organization_id = $1 AND id = $2 AND status <> 'ended'
        RETURNING *
    ), told AS (
        INSERT INTO events (organization_id, name, resource, row_id, data, created_at)
        SELECT organization_id, 'ai-turns.ended', 'ai-turns', id, json_build_object('id', id, 'conversation_id',
            conversation_id, 'ai_assistant_id', ai_assistant_id, 'end_reason', end_reason, 'error', error,
            'input_tokens', input_tokens, 'output_tokens', output_tokens, 'cost', cost::text, 'structured_output',
            structured_output), ended_at FROM ended
        WHERE private_to_user_id IS NULL
    ), withdrawn AS (
        UPDATE outbox o SET status = CASE o.status WHEN 'sending' THEN 'unknown' ELSE 'withdrawn' END, reason = $3,
            updated_at = $5, version = o.version + 1 FROM ended
        WHERE o.organization_id = $1 AND o.ai_turn_id = ended.id AND o.status IN ('pending', 'sending')
    ), voided AS (
        UPDATE ai_approvals p SET status = 'void', reason = $3, updated_at = $5, version = p.version + 1 FROM ended
        WHERE p.organization_id = $1 AND p.ai_turn_id = ended.id AND p.status IN ('pending', 'approved')
        RETURNING p.id, p.private_to_user_id
    )
    SELECT EXISTS (SELECT FROM ai_decisions d WHERE d.organization_id = $1
        AND d.conversation_id = ended.conversation_id AND d.outcome = 'pending' AND d.ai_turn_id IS NULL),
        (SELECT array_agg(id) FROM voided WHERE private_to_user_id IS NULL) FROM ended
"""
LET_GO = """
    UPDATE ai_turns SET lease_expires_at = $4
    WHERE organization_id = $1 AND id = $2 AND lease_token = $3 AND status <> 'ended'
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """A row of `ai_turns` as the spine works with it."""

    id: int
    organization_id: int
    conversation_id: int
    ai_assistant_id: int
    config_version: int
    epoch: int
    status: TurnStatus
    is_muted: bool
    due_at: datetime
    burst_deadline: datetime | None
    lease_token: str | None
    lease_expires_at: datetime | None
    attempts: int
    effects_started: bool
    superseded_by_message_id: int | None
    first_position: int
    last_position: int
    prompt: str | None
    draft_seq: int
    started_at: datetime | None
    fallback_ai_model_id: int | None = None
    model_failures: int | None = None
    model_trials: str | None = None
    ai_follow_up_id: int | None = None  # what it writes is no answer, and no inbound waits for it
    approval_waits: int | None = None  # how often it waited for a person

    def is_held(self, now: datetime) -> bool:
        """Somebody works on it."""
        return self.lease_token is not None and self.lease_expires_at is not None and self.lease_expires_at > now

    @property
    def is_gathering(self) -> bool:
        """It waits for the end of its burst window, nothing has run yet."""
        return self.status == "waiting" and not self.was_begun

    @property
    def was_begun(self) -> bool:
        return self.attempts > 0 or self.ai_follow_up_id is not None


async def find_open(connection: Connection, organization_id: int, conversation_id: int) -> Turn | None:
    """The conversation's open turn, locked."""
    row = await connection.fetchrow(FIND_OPEN, organization_id, conversation_id)
    return None if row is None else Turn(*row)


async def open_turn(
    connection: Connection, talk: Conversation, *, assistant_id: int, version: int, is_muted: bool,
    due_at: datetime, deadline: datetime | None, positions: tuple[int, int], now: datetime,
    follow_up_id: int | None = None, begins: bool = False,
) -> Turn:  # fmt: skip
    """A new turn that waits until `due_at`, or `begins` with its lease taken.

    Of a follow-up nothing is gathered: it is there to be resumed.
    """
    lease = (uuid.uuid4().hex, now + LEASE) if begins else (None, None)
    row = await connection.fetchrow(
        OPEN, talk.organization_id, talk.id, assistant_id, version, talk.epoch, is_muted, due_at, deadline, *positions,
        now, talk.viewer_id, follow_up_id, *lease,
    )  # fmt: skip
    assert row is not None
    return Turn(*row[:-1])


async def extend(connection: Connection, turn: Turn, due_at: datetime, last_position: int, now: datetime) -> Turn:
    """Another inbound of the burst: the window begins anew."""
    await connection.execute(EXTEND, turn.organization_id, turn.id, due_at, last_position, now)
    return replace(turn, due_at=due_at, last_position=last_position)


async def begin(connection: Connection, turn: Turn, *, version: int, is_muted: bool, last: int, now: datetime) -> Turn:
    """Take the lease of a turn that nobody has run yet."""
    token = uuid.uuid4().hex
    expires = now + LEASE
    await connection.execute(BEGIN, turn.organization_id, turn.id, version, is_muted, last, token, expires, now)
    return replace(
        turn, status="running", config_version=version, is_muted=is_muted, last_position=last, lease_token=token,
        lease_expires_at=expires, attempts=turn.attempts + 1, started_at=turn.started_at or now,
    )  # fmt: skip


async def resume(connection: Connection, turn: Turn, now: datetime) -> Turn:
    """Take the lease of a turn whose holder is gone, or whose pause is over."""
    token = uuid.uuid4().hex
    await connection.execute(RESUME, turn.organization_id, turn.id, token, now + LEASE, now)
    if turn.status == "delivering":
        return replace(turn, lease_token=token, lease_expires_at=now + LEASE)
    return replace(turn, status="running", lease_token=token, lease_expires_at=now + LEASE, attempts=turn.attempts + 1)


async def supersede(
    connection: Connection, organization_id: int, conversation_id: int, message_id: int, now: datetime
) -> bool:
    """A newer inbound takes the place of a turn whose effects have not started."""
    row = await connection.fetchrow(SUPERSEDE, organization_id, conversation_id, message_id, now)
    return row is not None


async def postpone(
    connection: Connection, turn: Turn, status: TurnStatus, due_at: datetime, now: datetime, error: str | None = None
) -> bool:
    """Give the lease back until `due_at`. False when it was not ours any more."""
    row = await connection.fetchrow(
        POSTPONE, turn.organization_id, turn.id, turn.lease_token, status, due_at, error, now
    )
    return row is not None


async def end(connection: Connection, turn: Turn, reason: str, now: datetime, error: str | None = None) -> bool:
    """Close the turn with its reason; whoever held it finds no row any more. True where newer inbounds wait.

    What it had queued and not sent (an image) goes with it, and whatever it waited for a person to approve.
    """
    row = await connection.fetchrow(END, turn.organization_id, turn.id, reason, error, now)
    if row is not None and row[1]:
        await emit(connection, turn.organization_id, APPROVALS, "updated", *row[1])
    return row is not None and bool(row[0])


async def let_go(connection: Connection, turn: Turn, now: datetime) -> None:
    """The holder stops without an end (its process is told to): somebody else may go on at once."""
    await connection.execute(LET_GO, turn.organization_id, turn.id, turn.lease_token, now)
