"""A hand-off to a person: one transaction in which the conversation gets its new owner, and everybody learns of it.

Whatever the cause (a tool of the model, a rule, a failure, the schedule, a budget), it comes here, under the
conversation's lock: owner and epoch, the customer's one line, the note for the person, the record, the events.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from frontdesk.assistants import follow_up_endings
from frontdesk.assistants.config import AssistantConfig
from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from frontdesk.core.events import emit
from frontdesk.core.jobs import enqueue
from frontdesk.runtime import outbox, thread
from frontdesk.runtime.handoff_targets import Choice, choose
from frontdesk.runtime.handoff_words import MOST_LINES, Background, Said, customer_line, note
from frontdesk.runtime.outbox import Draft
from frontdesk.runtime.thread import DOORBELL, Conversation, NewMessage

NOTICE_DOORBELL = "hand-off-notice"
LONGEST_REASON = 1000

HAND_OVER = """
    UPDATE conversations SET handed_off_by_ai_assistant_id = $3, assigned_ai_assistant_id = NULL,
        assigned_user_id = $4, assigned_team_id = $5, owner_reason = $6, handoff_reason = $7,
        ai_auto_assignment_disabled = true, ai_auto_assignment_disabled_reason = 'handoff', handed_off_at = $8,
        handoff_return_at = $9, ai_shared = NULL, epoch = epoch + 1, version = version + 1, updated_at = $8
    WHERE organization_id = $1 AND id = $2
"""
RECORD = """
    INSERT INTO ai_handoffs (organization_id, conversation_id, ai_turn_id, from_ai_assistant_id, kind, to_user_id,
        to_team_id, to_ai_assistant_id, rule, rule_id, detail, share, position, notice_status, notice_due_at,
        notice_attempts, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, $16, $16) RETURNING id
"""
CUSTOMER = """
    SELECT nullif(concat_ws(' ', first_name, last_name), '') AS name, email, phone FROM contacts
    WHERE organization_id = $1 AND id = $2
"""
SINCE = """
    SELECT count(*), min(created_at) FROM conversation_messages
    WHERE organization_id = $1 AND conversation_id = $2 AND direction = 'inbound' AND deleted_at IS NULL
        AND message_type <> 'reaction' AND created_at > coalesce($3, '-infinity'::timestamptz)
"""
LAST = """
    SELECT sender, coalesce(nullif(message_text, ''), '[' || message_type || ']') AS said FROM conversation_messages
    WHERE organization_id = $1 AND conversation_id = $2 AND message_type NOT IN ('note', 'reaction')
        AND deleted_at IS NULL AND created_at > coalesce($3, '-infinity'::timestamptz)
    ORDER BY position DESC LIMIT $4
"""
DONE = """
    SELECT DISTINCT s.tool_name FROM ai_turn_steps s
    JOIN ai_turns t ON t.organization_id = s.organization_id AND t.id = s.ai_turn_id
    WHERE t.organization_id = $1 AND t.conversation_id = $2 AND t.created_at > coalesce($3, '-infinity'::timestamptz)
        AND s.kind = 'tool' AND s.status = 'done' AND s.is_change AND s.tool_name NOT LIKE 'transfer\\_to\\_%'
    ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why it is handed over: the type of the rule (or the code of what failed), its id, what it matched in words."""

    rule: str
    rule_id: str | None = None
    detail: str | None = None
    summary: str | None = None  # the model's own, for the note

    @property
    def text(self) -> str:
        """`handoff_reason`: a code, and what stands behind it."""
        return (f"{self.rule}: {self.detail}" if self.detail else self.rule)[:LONGEST_REASON]


class RuleMatched(Exception):
    """A rule matched while the turn was running: it ends in a hand-off."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.text)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Handed:
    """What came of it: the conversation as it is now, and who has it."""

    talk: Conversation
    choice: Choice
    handoff_id: int

    @property
    def facts(self) -> dict[str, Json]:
        """For the decision's sentences."""
        return {"to_user_id": self.choice.user_id, "to_team_id": self.choice.team_id, "waits": self.choice.waits}


def can_hand_over(config: AssistantConfig | None, talk: Conversation) -> bool:
    """Whether there is a hand-off to people at all; a staff chat stays with its member."""
    is_on = config is not None and config.human_handoff.enabled and config.deleted_at is None
    return is_on and talk.kind in ("conversation", "ticket") and not talk.is_over


@dataclass(frozen=True, slots=True)
class Handoffs:
    """Hands over. `tells_by_mail` is whether this installation has a mail server."""

    tells_by_mail: bool = False

    async def to_person(
        self, connection: Connection, talk: Conversation, config: AssistantConfig, cause: Cause, now: datetime,
        *, turn_id: int | None = None, is_muted: bool = False,
    ) -> Handed:  # fmt: skip
        """Under the conversation's lock; `config` is the live record. The caller ends the turn and its decisions."""
        where = (talk.organization_id, talk.id)
        choice = await choose(connection, talk.organization_id, config.id, config.human_handoff.target)
        await connection.execute(
            HAND_OVER, *where, config.id, choice.user_id, choice.team_id, choice.waits, cause.text, now,
            return_at(config, now),
        )  # fmt: skip
        talk = replace(
            talk, assigned_ai_assistant_id=None, assigned_user_id=choice.user_id, owner_reason=choice.waits,
            epoch=talk.epoch + 1,
        )  # fmt: skip
        is_told = self.tells_by_mail and choice.user_id is not None
        handoff_id: int = await connection.fetchval(
            RECORD, *where, turn_id, config.id, "human", choice.user_id, choice.team_id, None, cause.rule,
            cause.rule_id, cause.detail and cause.detail[:LONGEST_REASON], None, talk.last_position,
            "queued" if is_told else "off", now if is_told else None, now,
        )  # fmt: skip
        await follow_up_endings.stop(connection, talk.organization_id, [talk.id], "human", now)
        await emit(connection, talk.organization_id, "ai-handoffs", "created", handoff_id)
        points = ("handed_off", "assigned") if choice.user_id is not None else ("handed_off",)
        await emit(connection, talk.organization_id, talk.path, "updated", talk.id, also=points)
        if is_told:
            await enqueue(connection, NOTICE_DOORBELL, talk.organization_id, handoff_id)
        await self._speak(connection, talk, config, cause, choice, handoff_id, now, turn_id, is_muted=is_muted)
        return Handed(talk, choice, handoff_id)

    async def _speak(
        self, connection: Connection, talk: Conversation, config: AssistantConfig, cause: Cause, choice: Choice,
        handoff_id: int, now: datetime, turn_id: int | None, *, is_muted: bool,
    ) -> None:  # fmt: skip
        """The note for the team, and the line for the customer."""
        where = (talk.organization_id, talk.id)
        if config.human_handoff.summary:
            nobody = choice.waits == "handoff_nobody_available"
            text = note(
                config, cause.rule, cause.detail, cause.summary, await background_of(connection, talk), nobody=nobody
            )
            message = NewMessage("outbound", "system", text, "note", ai_turn_id=turn_id, ai_assistant_id=config.id)
            await thread.append(connection, *where, message, now)
        line = None if is_muted else customer_line(config, now, is_by_schedule=cause.rule == "out_of_schedule")
        if line is not None:
            draft = Draft(line, "handoff", f"handoff-{handoff_id}", about_turn_id=turn_id)
            await outbox.add(connection, *where, None, talk.epoch, config.id, [draft], now)
            await enqueue(connection, DOORBELL, *where)


def return_at(config: AssistantConfig, now: datetime) -> datetime | None:
    """When the assistant looks for the first time whether it gets the conversation back."""
    back = config.human_handoff.back
    if back.mode != "after_inactivity" or back.after_minutes is None:
        return None
    return now + timedelta(minutes=back.after_minutes)


async def background_of(connection: Connection, talk: Conversation) -> Background:
    """What a note or a summary tells of the conversation, since its context began."""
    where = (talk.organization_id, talk.id)
    contact = await connection.fetchrow(CUSTOMER, talk.organization_id, talk.contact_id)
    heard = await connection.fetchrow(SINCE, *where, talk.ai_context_cut)
    done = await connection.fetch(DONE, *where, talk.ai_context_cut)
    last = await connection.fetch(LAST, *where, talk.ai_context_cut, MOST_LINES)
    assert heard is not None
    name = (contact["name"] or contact["email"] or contact["phone"]) if contact is not None else None
    return Background(
        name, talk.channel, talk.is_contact_verified, heard[0], heard[1], [row[0] for row in done],
        [Said(row["sender"], row["said"]) for row in reversed(last)],
    )  # fmt: skip
