"""The sweeper rings again for all that is due and was not rung: a lost bell costs seconds, never a message.

Due are: turns whose pause is over or whose lease has expired, lines in the outbox, inbounds that nobody has decided,
bulk actions that nobody goes on with, mails of invitations, calls to other systems that have no outcome.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from frontdesk.assistants.handoff_return import RETURN_DOORBELL
from frontdesk.core.clock import Clock
from frontdesk.core.database import Connection, Database
from frontdesk.core.errors import Unavailable
from frontdesk.core.jobs import enqueue_once, purge
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
