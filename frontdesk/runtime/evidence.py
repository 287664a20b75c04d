"""Collects what the gates may know about a conversation, once and in one place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.handoff_config import MessageCount
from frontdesk.core.database import Connection
from frontdesk.runtime import budget
from frontdesk.runtime.facts import Facts
from frontdesk.runtime.failure_words import RETRIED, WAITS
from frontdesk.runtime.progress import turns_without_progress
from frontdesk.runtime.thread import Conversation

SCHEDULE_MESSAGE = """
    SELECT max(created_at) FROM outbox
    WHERE organization_id = $1 AND conversation_id = $2 AND payload ->> 'kind' = 'out_of_schedule'
        AND status NOT IN ('withdrawn', 'failed')
"""
WAITING = """
    SELECT m.position, m.message_text, m.message_type FROM ai_decisions d
    JOIN conversation_messages m ON m.organization_id = d.organization_id AND m.id = d.message_id
    WHERE d.organization_id = $1 AND d.conversation_id = $2 AND d.outcome = 'pending' ORDER BY m.position
"""
# The customer's messages since the assistant has the conversation: its turns of this epoch, and what waits now.
COUNT = """
    SELECT count(*) FROM conversation_messages
    WHERE organization_id = $1 AND conversation_id = $2 AND direction = 'inbound' AND message_type <> 'reaction'
        AND position >= (SELECT least(min(t.first_position), (SELECT min(p) FROM unnest($4::int[]) AS p))
            FROM ai_turns t WHERE t.organization_id = $1 AND t.conversation_id = $2 AND t.epoch = $3)
"""
IS_MEMBER = "SELECT true FROM members WHERE organization_id = $1 AND user_id = $2 AND deleted_at IS NULL"
BUDGET_LINE = """
    SELECT max(created_at) FROM outbox
    WHERE organization_id = $1 AND conversation_id = $2 AND payload ->> 'kind' = 'budget'
        AND status NOT IN ('withdrawn', 'failed')
"""
CHANNEL_ASSISTANT = """
    SELECT i.ai_assistant_id FROM inbox_channels i
    JOIN ai_assistants a ON a.organization_id = i.organization_id AND a.id = i.ai_assistant_id
    WHERE i.organization_id = $1 AND i.id = $2 AND i.deleted_at IS NULL AND a.deleted_at IS NULL
        AND (a.assistant_type = 'support-ticket') = ($3 = 'ticket')
"""
# Whose answer failed last, and when.
FAILED_FOR = """
    SELECT d.ai_assistant_id, d.updated_at, a.deleted_at IS NULL AS is_there FROM ai_decisions d
    LEFT JOIN ai_assistants a ON a.organization_id = d.organization_id AND a.id = d.ai_assistant_id
    WHERE d.organization_id = $1 AND d.conversation_id = $2 AND d.ai_assistant_id IS NOT NULL
    ORDER BY d.id DESC LIMIT 1
"""


async def collect(connection: Connection, talk: Conversation, config: AssistantConfig | None, now: datetime) -> Facts:
    """The facts at `now`, under the conversation's lock."""
    spent = await budget.today(connection, talk.organization_id, now)
    told: datetime | None = None
    if config is not None and config.schedule.enabled:
        told = await connection.fetchval(SCHEDULE_MESSAGE, talk.organization_id, talk.id)
    is_member = True
    if talk.is_staff_chat:
        is_member = bool(await connection.fetchval(IS_MEMBER, talk.organization_id, talk.created_by_user_id))
    seen = await _for_rules(connection, talk, config) if config is not None else Inbounds()
    own, said_at = budget.AssistantSpent(), None
    if config is not None and config.options.budget.is_limited:
        own = await budget.of_assistant(connection, config, talk.id, now)
    if config is not None and (config.options.budget.is_limited or spent.passed() is not None):
        said_at = await connection.fetchval(BUDGET_LINE, talk.organization_id, talk.id)
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
        conversation_cost=own.conversation,
        assistant_cost_today=own.today,
        budget_line_at=said_at,
        inbound_texts=seen.texts,
        inbound_types=seen.types,
        message_count=seen.count,
        turns_without_progress=seen.stalled,
        is_staff_chat=talk.is_staff_chat,
        asker_is_member=is_member,
        epoch=talk.epoch,
        context_cut=talk.ai_context_cut,
    )


@dataclass(frozen=True, slots=True)
class Inbounds:
    """What the hand-off rules look at: the messages that wait, how many there were, the turns that led nowhere."""

    texts: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    count: int = 0
    stalled: int = 0


async def _for_rules(connection: Connection, talk: Conversation, config: AssistantConfig) -> Inbounds:
    """Nothing is read for an assistant without such rules, which most are."""
    rules = config.human_handoff.looked_up
    if not rules:
        return Inbounds()
    where = (talk.organization_id, talk.id)
    rows = await connection.fetch(WAITING, *where)
    count = stalled = 0
    if any(isinstance(rule, MessageCount) for rule in rules):
        count = await connection.fetchval(COUNT, *where, talk.epoch, [row["position"] for row in rows])
    if config.human_handoff.no_answer is not None:
        stalled = await turns_without_progress(connection, *where, talk.epoch)
    texts = tuple(str(row["message_text"]) for row in rows if row["message_text"])
    return Inbounds(texts, tuple(row["message_type"] for row in rows), count, stalled)


async def channel_assistant(connection: Connection, talk: Conversation) -> int | None:
    """Whom a conversation without an owner is given to: its channel's assistant, unless something speaks against it."""
    is_free = talk.assigned_user_id is None and talk.assigned_ai_assistant_id is None and not talk.blocked
    if not is_free or talk.ai_auto_assignment_disabled or talk.owner_reason or talk.inbox_channel_id is None:
        return None
    channel = (talk.organization_id, talk.inbox_channel_id)
    found: int | None = await connection.fetchval(CHANNEL_ASSISTANT, *channel, talk.kind)
    return found


async def returning_assistant(connection: Connection, talk: Conversation, now: datetime) -> int | None:
    """Who is asked again in a conversation that nobody has because no answer came: a provider comes back."""
    is_free = talk.assigned_user_id is None and talk.assigned_ai_assistant_id is None and not talk.blocked
    if not is_free or talk.ai_auto_assignment_disabled or talk.owner_reason not in RETRIED:
        return None
    row = await connection.fetchrow(FAILED_FOR, talk.organization_id, talk.id)
    if row is None or not row["is_there"] or now - row["updated_at"] < WAITS.get(talk.owner_reason, timedelta(0)):
        return None
    found: int = row["ai_assistant_id"]
    return found
