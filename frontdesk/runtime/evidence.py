"""Collects what the gates may know about a conversation, once and in one place."""

from __future__ import annotations

from datetime import datetime

from frontdesk.assistants.config import AssistantConfig
from frontdesk.core.database import Connection
from frontdesk.runtime import budget
from frontdesk.runtime.facts import Facts
from frontdesk.runtime.thread import Conversation

SCHEDULE_MESSAGE = """
    SELECT max(created_at) FROM outbox
    WHERE organization_id = $1 AND conversation_id = $2 AND payload ->> 'kind' = 'out_of_schedule'
        AND status NOT IN ('withdrawn', 'failed')
"""
CHANNEL_ASSISTANT = """
    SELECT i.ai_assistant_id FROM inbox_channels i
    JOIN ai_assistants a ON a.organization_id = i.organization_id AND a.id = i.ai_assistant_id
    WHERE i.organization_id = $1 AND i.id = $2 AND i.deleted_at IS NULL AND a.deleted_at IS NULL
        AND (a.assistant_type = 'support-ticket') = ($3 = 'ticket')
"""


async def collect(connection: Connection, talk: Conversation, config: AssistantConfig | None, now: datetime) -> Facts:
    """The facts at `now`, under the conversation's lock."""
    spent = await budget.today(connection, talk.organization_id, now)
    told: datetime | None = None
    if config is not None and config.schedule.enabled:
        told = await connection.fetchval(SCHEDULE_MESSAGE, talk.organization_id, talk.id)
    return Facts(
        is_blocked=talk.blocked,
        is_closed=talk.is_over,
        assigned_user_id=talk.assigned_user_id,
        assigned_ai_assistant_id=talk.assigned_ai_assistant_id,
        is_auto_assignment_disabled=talk.ai_auto_assignment_disabled,
        auto_assignment_disabled_reason=talk.ai_auto_assignment_disabled_reason,
        owner_reason=talk.owner_reason,
        schedule_message_at=told,
        cost_today=spent.cost,
        daily_cost_limit=spent.daily_limit,
        tokens_today=spent.tokens,
    )


async def channel_assistant(connection: Connection, talk: Conversation) -> int | None:
    """Whom a conversation without an owner is given to: its channel's assistant, unless something speaks against it."""
    is_free = talk.assigned_user_id is None and talk.assigned_ai_assistant_id is None and not talk.blocked
    if not is_free or talk.ai_auto_assignment_disabled or talk.owner_reason or talk.inbox_channel_id is None:
        return None
    channel = (talk.organization_id, talk.inbox_channel_id)
    found: int | None = await connection.fetchval(CHANNEL_ASSISTANT, *channel, talk.kind)
    return found
