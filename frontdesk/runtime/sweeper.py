"""The sweeper rings again for all that is due and was not rung: a lost bell costs seconds, never a message.

Due are: turns whose pause is over or whose lease has expired, lines in the outbox, inbounds that nobody has decided,
bulk actions that nobody goes on with, mails of invitations, calls to other systems that have no outcome, follow-ups,
calls that wait for a person and are not wanted any more.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import datetime, timedelta

import structlog

from frontdesk.assistants.handoff_return import RETURN_DOORBELL
from frontdesk.core.clock import Clock
from frontdesk.core.database import Connection, Database
from frontdesk.core.errors import Unavailable
from frontdesk.core.jobs import PATIENT, enqueue_all, enqueue_once, purge
from frontdesk.runtime.follow_ups import FOLLOW_UP_DOORBELL
from frontdesk.runtime.handoff import NOTICE_DOORBELL
from frontdesk.runtime.thread import DOORBELL

log = structlog.get_logger(__name__)

EVERY = 2.0  # seconds
PATIENCE = timedelta(seconds=3)  # a bell that was rung may be on its way
PURGE_EVERY = 60.0  # seconds

BULK_DOORBELL = "conversations-bulk-action"
BULK_DUE = """
    SELECT organization_id, id FROM conversations_bulk_actions WHERE status = 'running' AND updated_at <= $1 LIMIT 100
"""
MAIL_DOORBELL = "invite-mail"
MAIL_DUE = """
    SELECT organization_id, id FROM organizations_users_invites
    WHERE email_status = 'queued' AND status = 'pending' AND deleted_at IS NULL AND email_due_at <= $1 LIMIT 100
"""
BROADCAST_DOORBELL = "email-broadcast"
BROADCAST_DUE = """
    SELECT organization_id, id FROM email_broadcasts
    WHERE status = 'sending' AND deleted_at IS NULL AND due_at <= $1 LIMIT 100
"""
# A worker died during a call, and its turn ended before anybody went on with it. The pause is longer than any call.
INTENT_DOORBELL = "unknown-call"
INTENT_DUE = """
    SELECT s.organization_id, s.id FROM ai_turn_steps s
    JOIN ai_turns t ON t.organization_id = s.organization_id AND t.id = s.ai_turn_id
    WHERE s.status = 'intent' AND t.status = 'ended' AND t.ended_at <= $1::timestamptz - interval '2 minutes' LIMIT 100
"""
# A person has had the conversation for as long as its assistant waits.
RETURN_DUE = """
    SELECT organization_id, id FROM conversations WHERE handoff_return_at <= $1 AND deleted_at IS NULL LIMIT 500
"""
NOTICE_DUE = """
    SELECT organization_id, id FROM ai_handoffs WHERE notice_status = 'queued' AND notice_due_at <= $1 LIMIT 100
"""
# Those that are due are claimed in batches from the index's front, and rung again after a while if their bell is lost.
# Each conversation has its own bell, so that a thousand that fall due in one minute are spread over all workers; and no
# more of them wait at a time than a worker takes, so that it has room left for who waits for an answer.
FOLLOW_UP_DUE = """
    WITH due AS (
        SELECT organization_id, id FROM ai_follow_ups WHERE status = 'scheduled' AND rings_at <= $1
        ORDER BY rings_at
        LIMIT least($3, greatest(0, $4 - (SELECT count(*) FROM pgqueuer WHERE entrypoint = $5))) FOR UPDATE SKIP LOCKED
    )
    UPDATE ai_follow_ups f SET rings_at = $2 FROM due
    WHERE f.organization_id = due.organization_id AND f.id = due.id RETURNING f.organization_id, f.conversation_id
"""
FOLLOW_UP_BATCH, FOLLOW_UP_BATCHES = 500, 4
MOST_WAITING = 1_000  # bells of follow-ups
RING_AGAIN = timedelta(minutes=1)
FURTHER = (
    (RETURN_DOORBELL, RETURN_DUE), (NOTICE_DOORBELL, NOTICE_DUE),
    (BULK_DOORBELL, BULK_DUE), (MAIL_DOORBELL, MAIL_DUE), (BROADCAST_DOORBELL, BROADCAST_DUE),
    (INTENT_DOORBELL, INTENT_DUE),
)  # fmt: skip
DUE = """
    SELECT organization_id, conversation_id FROM ai_turns
    WHERE status <> 'ended' AND CASE WHEN lease_token IS NULL THEN due_at <= $2 ELSE lease_expires_at <= $1 END
    UNION
    SELECT organization_id, conversation_id FROM (
        SELECT DISTINCT ON (organization_id, conversation_id) organization_id, conversation_id, due_at FROM outbox
        WHERE status IN ('pending', 'sending') AND ai_turn_id IS NULL
        ORDER BY organization_id, conversation_id, id
    ) AS next_line WHERE due_at <= $2
    UNION
    SELECT d.organization_id, d.conversation_id FROM ai_decisions d
    WHERE d.outcome = 'pending' AND d.ai_turn_id IS NULL AND d.created_at <= $2
        AND NOT EXISTS (SELECT FROM ai_turns t WHERE t.organization_id = d.organization_id
            AND t.conversation_id = d.conversation_id AND t.status <> 'ended')
    UNION
    SELECT p.organization_id, p.conversation_id FROM ai_approvals p
    JOIN ai_turns t ON t.organization_id = p.organization_id AND t.id = p.ai_turn_id AND t.status = 'waiting'
    JOIN conversations c ON c.organization_id = p.organization_id AND c.id = p.conversation_id
    JOIN ai_assistants a ON a.organization_id = p.organization_id AND a.id = p.ai_assistant_id
    WHERE p.status = 'pending' AND (a.version <> p.config_version OR a.deleted_at IS NOT NULL OR c.epoch <> t.epoch
        OR c.deleted_at IS NOT NULL OR EXISTS (SELECT FROM ai_decisions d WHERE d.organization_id = p.organization_id
            AND d.conversation_id = p.conversation_id AND d.outcome = 'pending' AND d.ai_turn_id IS NULL))
    LIMIT 500
"""


async def sweep(connection: Connection, clock: Clock, patience: timedelta = PATIENCE) -> int:
    """Ring for what is due over all organizations; gives how many bells. `connection` is the system's."""
    now = clock.now()
    rows = await connection.fetch(DUE, now, now - patience)
    for organization_id, conversation_id in rows:
        await enqueue_once(connection, DOORBELL, organization_id, conversation_id)
    rung = len(rows)
    for doorbell, due in FURTHER:
        for organization_id, row_id in await connection.fetch(due, now - patience):
            await enqueue_once(connection, doorbell, organization_id, row_id)
            rung += 1
    return rung + await _ring_follow_ups(connection, now)


async def _ring_follow_ups(connection: Connection, now: datetime) -> int:
    rung = 0
    for _ in range(FOLLOW_UP_BATCHES):
        most = (FOLLOW_UP_BATCH, MOST_WAITING, FOLLOW_UP_DOORBELL)
        rows = await connection.fetch(FOLLOW_UP_DUE, now, now + RING_AGAIN, *most)
        by_organization: dict[int, set[int]] = defaultdict(set)
        for organization_id, conversation_id in rows:
            by_organization[organization_id].add(conversation_id)
        for organization_id, ids in by_organization.items():
            await enqueue_all(connection, FOLLOW_UP_DOORBELL, organization_id, sorted(ids), priority=PATIENT)
        rung += len(rows)
        if len(rows) < FOLLOW_UP_BATCH:
            break
    return rung


async def sweep_for_ever(database: Database, clock: Clock, stopping: asyncio.Event) -> None:
    """Sweep until told to stop. A lost database is tried again at the next round."""
    purged_at = clock.monotonic()
    while not stopping.is_set():
        try:
            async with database.system() as connection:
                await sweep(connection, clock)
                if clock.monotonic() - purged_at > PURGE_EVERY:
                    purged_at = clock.monotonic()
                    await purge(connection)
        except Unavailable as error:
            log.warning("the sweeper waits for the database", error=error.message)
        pause = asyncio.ensure_future(clock.sleep(EVERY))
        stopped = asyncio.ensure_future(stopping.wait())
        await asyncio.wait({pause, stopped}, return_when=asyncio.FIRST_COMPLETED)
        pause.cancel()
        stopped.cancel()
