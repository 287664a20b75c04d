"""One conversation under its row lock: its state, and how a message gets its place in it.

Every transaction that needs both locks takes the conversation's first and the turn's second, so none can deadlock. The
lock is `FOR NO KEY UPDATE`, because rows that point at the conversation take a key lock on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic_core import to_json

from frontdesk.assistants import follow_up_endings
from frontdesk.assistants.departed import OWNER_LEFT, release_if_departed
from frontdesk.assistants.handoff_return import set_timer
from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from frontdesk.core.events import emit
from frontdesk.core.live import CHANNEL

DOORBELL = "conversation"  # rings for all that is due in one conversation
OVER = ("closed", "resolved")  # only a ticket can be resolved
AI_CHAT = "ai-chat"  # a chat of a member with an assistant of the team
# The resource that shows a row of the kind.
PATHS = {"conversation": "conversations", "ticket": "support-tickets", AI_CHAT: "ai-chat-sessions"}
_COLUMNS = """id, organization_id, contact_id, channel, inbox_channel_id, status, assigned_user_id,
    assigned_ai_assistant_id, owner_reason, ai_auto_assignment_disabled, ai_auto_assignment_disabled_reason,
    ai_context_cut, blocked, is_contact_verified, epoch, last_position, kind, contact_address, created_by_user_id,
    ai_shared::text AS ai_shared"""

LOCK = f"""
    SELECT {_COLUMNS} FROM conversations
    WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE
"""
READ = f"SELECT {_COLUMNS} FROM conversations WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"

# The count of messages is no change of the record: `version` stays, so that nobody's If-Match goes stale by it. A
# reaction is no new message, so it neither counts as unread nor moves the conversation up. Each message of a staff chat
# carries the session's user: it is what keeps everybody else from it.
APPEND = """
    WITH moved AS (
        UPDATE conversations
        SET last_position = last_position + 1,
            last_interaction_at = CASE WHEN $7 = 'reaction' THEN last_interaction_at ELSE $3 END,
            last_message_at = CASE WHEN $7 IN ('note', 'reaction') THEN last_message_at ELSE $3 END,
            unread_count = unread_count + CASE WHEN $4 = 'inbound' AND $7 <> 'reaction' THEN 1 ELSE 0 END,
            waiting_since = CASE WHEN $7 IN ('note', 'reaction') THEN waiting_since
                WHEN $4 = 'inbound' THEN coalesce(waiting_since, $3) END
        WHERE organization_id = $1 AND id = $2
        RETURNING last_position, channel, inbox_channel_id, kind,
            CASE WHEN kind = 'ai-chat' THEN created_by_user_id END AS viewer_id
    )
    INSERT INTO conversation_messages (organization_id, conversation_id, position, channel, inbox_channel_id, kind,
        external_id, direction, sender, message_type, message_text, ai_turn_id, created_by_user_id,
        created_by_ai_assistant_id, status, created_at, updated_at, media_url, s3_path, conversation_file_id, file_name,
        file_type, file_size, location, template, reply_to_message_id, reaction_to_message_id, emoji,
        structured_output)
    SELECT $1, $2, moved.last_position, moved.channel, moved.inbox_channel_id, moved.kind,
        $5, $4, $6, $7, $8, $9, coalesce(moved.viewer_id, $10), $11, $12, $3, $3, x.media_url, x.s3_path,
        x.conversation_file_id, x.file_name, x.file_type, x.file_size, x.location, x.template,
        x.reply_to_message_id, x.reaction_to_message_id, x.emoji,
        x.structured_output
    FROM moved, jsonb_to_record($14::jsonb) AS x(media_url text, s3_path text, conversation_file_id bigint,
        file_name text, file_type text, file_size bigint, location jsonb, template jsonb, reply_to_message_id bigint,
        reaction_to_message_id bigint, emoji text, structured_output jsonb)
    RETURNING id, position, channel, kind, CASE WHEN message_type <> 'note' OR kind = 'ai-chat' THEN pg_notify($13,
        json_build_object('o', organization_id, 'c', conversation_id, 'e', 'message', 'position', position)::text) END
"""
CREATE = """
    INSERT INTO conversations (organization_id, contact_id, channel, inbox_channel_id, assigned_ai_assistant_id,
        is_contact_verified, status, ai_auto_assignment_disabled, blocked, epoch, episode, last_position, unread_count,
        last_interaction_at, created_by_user_id, contact_address, created_at, updated_at, kind)
    VALUES ($1, $2, $3, $4, $5, $6, 'open', false, false, 1, 1, 0, 0, $7, $8, $9, $7, $7, 'conversation') RETURNING id
"""
NEW_VISITOR = """
    INSERT INTO contacts (organization_id, system_type, created_at, updated_at) VALUES ($1, 'visitor', $2, $2)
    RETURNING id
"""
# A visitor's contact was made in its conversation: that is how far an unverified person reaches.
BIND_VISITOR = "UPDATE contacts SET created_in_conversation_id = $3 WHERE organization_id = $1 AND id = $2"
REOPEN = """
    UPDATE conversations SET status = 'open', epoch = epoch + 1, episode = episode + 1, ai_context_cut = $3,
        version = version + 1, updated_at = $3
    WHERE organization_id = $1 AND id = $2
"""
# The customer has answered what a ticket was waiting for; its episode goes on.
TO_OPEN = """
    UPDATE conversations SET status = 'open', version = version + 1, updated_at = $3
    WHERE organization_id = $1 AND id = $2
"""
ASSIGN = """
    UPDATE conversations SET assigned_ai_assistant_id = $3, owner_reason = NULL, handoff_reason = NULL,
        version = version + 1, updated_at = $4
    WHERE organization_id = $1 AND id = $2
"""
# Takeover: the person has it, and the assistant does not come back by itself (rules 1 and 2 of a turn).
TAKE_OVER = """
    UPDATE conversations
    SET handed_off_by_ai_assistant_id = coalesce(assigned_ai_assistant_id, handed_off_by_ai_assistant_id),
        assigned_ai_assistant_id = NULL, assigned_user_id = $3, owner_reason = NULL,
        ai_auto_assignment_disabled = true, ai_auto_assignment_disabled_reason = 'takeover',
        handed_off_at = CASE WHEN assigned_ai_assistant_id IS NULL THEN handed_off_at ELSE $4 END,
        epoch = epoch + 1, version = version + 1, updated_at = $4
    WHERE organization_id = $1 AND id = $2
"""
# Rule 14 of a turn: nobody owns it, and the reason says why.
LEAVE_UNOWNED = """
    UPDATE conversations SET assigned_ai_assistant_id = NULL, owner_reason = $3, handoff_reason = $3, epoch = epoch + 1,
        version = version + 1, updated_at = $4
    WHERE organization_id = $1 AND id = $2 RETURNING epoch, kind
"""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The columns that decide who may speak."""

    id: int
    organization_id: int
    contact_id: int | None  # a staff chat has none
    channel: str
    inbox_channel_id: int | None
    status: str
    assigned_user_id: int | None
    assigned_ai_assistant_id: int | None
    owner_reason: str | None
    ai_auto_assignment_disabled: bool
    ai_auto_assignment_disabled_reason: str | None
    ai_context_cut: datetime | None
    blocked: bool
    is_contact_verified: bool
    epoch: int
    last_position: int
    kind: str = "conversation"
    contact_address: str | None = None
    created_by_user_id: int | None = None
    ai_shared: str | None = None  # JSON: `passing_on.py`

    @property
    def is_staff_chat(self) -> bool:
        """The one who writes is a member, and no customer reads it."""
        return self.kind == AI_CHAT

    @property
    def viewer_id(self) -> int | None:
        """The only user who sees it; None where the organization does."""
        return self.created_by_user_id if self.is_staff_chat else None

    @property
    def is_over(self) -> bool:
        """Its episode has ended: nothing more is sent until a new inbound or a person opens it again."""
        return self.status in OVER

    @property
    def path(self) -> str:
        """The resource that shows it."""
        return PATHS[self.kind]


@dataclass(frozen=True, slots=True)
class Opening:
    """What a new conversation begins with; without a contact it gets a visitor of its own.

    `address` is the customer's at the channel's provider: a phone number, or an id of the account.
    """

    organization_id: int
    contact_id: int | None
    channel: str
    inbox_channel_id: int | None
    ai_assistant_id: int | None
    is_contact_verified: bool
    user_id: int | None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """What is appended: who says what, and for whom it counts. `extras` are columns of its kind (media, template …)."""

    direction: str
    sender: str
    text: str
    message_type: str = "text"
    status: str = "stored"
    external_id: str | None = None
    ai_turn_id: int | None = None
    user_id: int | None = None
    ai_assistant_id: int | None = None
    extras: Mapping[str, Json] = field(default_factory=dict)


async def create(connection: Connection, opening: Opening, now: datetime) -> int:
    """Open a conversation. Gives its id."""
    organization_id, contact_id = opening.organization_id, opening.contact_id
    if contact_id is None:
        contact_id = await connection.fetchval(NEW_VISITOR, organization_id, now)
    id: int = await connection.fetchval(
        CREATE, organization_id, contact_id, opening.channel, opening.inbox_channel_id, opening.ai_assistant_id,
        opening.is_contact_verified, now, opening.user_id, opening.address,
    )  # fmt: skip
    if opening.contact_id is None:
        await connection.execute(BIND_VISITOR, organization_id, contact_id, id)
        await emit(connection, organization_id, "contacts", "created", contact_id)
    await emit(connection, organization_id, "conversations", "created", id)
    return id


async def reopen(connection: Connection, talk: Conversation, since: datetime) -> None:
    """A new episode: only what comes after `since` is given to an assistant."""
    await connection.execute(REOPEN, talk.organization_id, talk.id, since)
    await emit(connection, talk.organization_id, talk.path, "updated", talk.id, also=("reopened",))


async def wake(connection: Connection, talk: Conversation, since: datetime, now: datetime) -> None:
    """The customer writes: what had ended begins anew after `since`, what waited for the customer is open again."""
    if talk.is_over:
        await reopen(connection, talk, since)
    elif talk.status != "open":
        await connection.execute(TO_OPEN, talk.organization_id, talk.id, now)
        await emit(connection, talk.organization_id, talk.path, "updated", talk.id)


async def assign(connection: Connection, talk: Conversation, assistant_id: int, now: datetime) -> Conversation:
    """Give a conversation that nobody had to an assistant. Nothing was begun before, so the epoch stays."""
    await connection.execute(ASSIGN, talk.organization_id, talk.id, assistant_id, now)
    await emit(connection, talk.organization_id, talk.path, "updated", talk.id, also=("assigned",))
    return replace(talk, assigned_ai_assistant_id=assistant_id, owner_reason=None)


async def without_departed(connection: Connection, talk: Conversation, now: datetime) -> Conversation:
    """The conversation; without its owner where that person has left the organization."""
    user_id = talk.assigned_user_id
    if user_id is None or not await release_if_departed(connection, talk.organization_id, talk.id, user_id, now):
        return talk
    return replace(talk, assigned_user_id=None, owner_reason=OWNER_LEFT, epoch=talk.epoch + 1)


async def take_over(connection: Connection, talk: Conversation, user_id: int | None, now: datetime) -> None:
    """A person has it from now on."""
    await connection.execute(TAKE_OVER, talk.organization_id, talk.id, user_id, now)
    if talk.assigned_ai_assistant_id is not None:
        await set_timer(connection, talk.organization_id, talk.id)
        await follow_up_endings.stop(connection, talk.organization_id, [talk.id], "human", now)
    point = "taken_over" if talk.assigned_ai_assistant_id is not None else "assigned"
    await emit(connection, talk.organization_id, talk.path, "updated", talk.id, also=(point,))


async def leave_unowned(
    connection: Connection, organization_id: int, conversation_id: int, reason: str, now: datetime
) -> int:
    """Nobody has it any more, and why. Gives the new epoch."""
    row = await connection.fetchrow(LEAVE_UNOWNED, organization_id, conversation_id, reason, now)
    assert row is not None
    await follow_up_endings.stop(connection, organization_id, [conversation_id], "other_owner", now)
    await emit(connection, organization_id, PATHS[row["kind"]], "updated", conversation_id, also=("handed_off",))
    epoch: int = row["epoch"]
    return epoch


async def lock(connection: Connection, organization_id: int, conversation_id: int) -> Conversation | None:
    """The conversation, locked to the end of the transaction; None when it is gone."""
    row = await connection.fetchrow(LOCK, organization_id, conversation_id)
    return None if row is None else Conversation(*row)


async def read(connection: Connection, organization_id: int, conversation_id: int) -> Conversation | None:
    """The conversation as it is now, without a lock."""
    row = await connection.fetchrow(READ, organization_id, conversation_id)
    return None if row is None else Conversation(*row)


async def append(
    connection: Connection, organization_id: int, conversation_id: int, message: NewMessage, now: datetime
) -> tuple[int, int]:
    """Store the message behind the last one and tell the open pages. Gives its id and position.

    Raises `UniqueViolationError` where the external id is known already.
    """
    row = await connection.fetchrow(
        APPEND, organization_id, conversation_id, now, message.direction, message.external_id, message.sender,
        message.message_type, message.text, message.ai_turn_id, message.user_id, message.ai_assistant_id,
        message.status, CHANNEL, to_json(message.extras).decode(),
    )  # fmt: skip
    assert row is not None
    await emit(connection, organization_id, messages_path(row["kind"], row["channel"]), "created", row["id"])
    return row["id"], row["position"]


def messages_path(kind: str, channel: str) -> str:
    """The resource that shows a message of such a thread."""
    if kind == AI_CHAT:
        return "ai-chat-messages"
    return "support-ticket-messages" if kind == "ticket" else f"conversation-messages-{channel}"
