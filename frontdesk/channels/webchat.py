"""The web chat as a channel: its visitors and their tokens, what may be written, and how messages are shown to them."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, LargeBinary, Table

from frontdesk.core.database import Connection
from frontdesk.core.errors import BadRequest, Json
from frontdesk.core.schema import id_column, metadata, moment_column, organization_column

webchat_visitors = Table(
    "webchat_visitors",
    metadata,
    id_column(),
    organization_column(),
    Column("inbox_channel_id", BigInteger, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("contact_id", BigInteger),
    Column("conversation_id", BigInteger),
    moment_column("created_at"),
    moment_column("last_seen_at"),
    ForeignKeyConstraint(
        ["organization_id", "inbox_channel_id"], ["inbox_channels.organization_id", "inbox_channels.id"],
        ondelete="CASCADE", use_alter=True, name="fk_webchat_visitors_inbox_channel_id",
    ),
    ForeignKeyConstraint(
        ["organization_id", "conversation_id"], ["conversations.organization_id", "conversations.id"],
        ondelete="CASCADE", use_alter=True, name="fk_webchat_visitors_conversation_id",
    ),
    Index("uq_webchat_visitors_token_hash", "token_hash", unique=True),
    Index("ix_webchat_visitors_conversation_id", "organization_id", "conversation_id"),
    Index("ix_webchat_visitors_inbox_channel_id", "organization_id", "inbox_channel_id"),
)  # fmt: skip

TOKEN_BYTES = 32
TOKEN_PREFIX = "wv_"
IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
# Line feed and tab are the only control characters that a person can type into a message.
FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
SENDERS = {"contact": "visitor", "assistant": "assistant", "user": "person", "system": "system"}

VISITOR_SQL = """
    SELECT v.id, v.contact_id, c.id AS conversation_id, v.last_seen_at
    FROM webchat_visitors v
    LEFT JOIN conversations c
        ON c.organization_id = v.organization_id AND c.id = v.conversation_id AND c.deleted_at IS NULL
    WHERE v.organization_id = $1 AND v.inbox_channel_id = $2 AND v.token_hash = $3
"""
SEEN_SQL = """
    UPDATE webchat_visitors SET last_seen_at = $3
    WHERE organization_id = $1 AND id = $2 AND last_seen_at < $3 - interval '1 minute'
"""
MINT_SQL = """
    INSERT INTO webchat_visitors (organization_id, inbox_channel_id, token_hash, created_at, last_seen_at)
    VALUES ($1, $2, $3, $4, $4)
"""
# Notes are for the organization's own people.
MESSAGES_SQL = """
    SELECT m.id, m.position, m.sender, m.message_text, m.created_at, m.external_id, m.ai_turn_id, m.created_by_user_id,
        a.name AS assistant_name
    FROM conversation_messages m
    LEFT JOIN ai_assistants a ON a.organization_id = m.organization_id AND a.id = m.created_by_ai_assistant_id
    WHERE m.organization_id = $1 AND m.conversation_id = $2 AND m.deleted_at IS NULL
        AND m.message_type <> 'note' AND m.message_text IS NOT NULL
"""
AFTER_SQL = MESSAGES_SQL + " AND m.position > $3 ORDER BY m.position LIMIT $4"
BEFORE_SQL = MESSAGES_SQL + " AND m.position < $3 ORDER BY m.position DESC LIMIT $4"
ONE_SQL = MESSAGES_SQL + " AND m.position = $3"
NAMES_SQL = "SELECT id, first_name FROM users WHERE id = ANY($1)"


@dataclass(frozen=True, slots=True)
class Visitor:
    """One browser that has the token. It has a contact and a conversation from its first message on."""

    id: int
    contact_id: int | None
    conversation_id: int | None

    @property
    def topic(self) -> int:
        """What its stream listens to: the conversation, or until there is one the visitor, as minus its id."""
        return self.conversation_id if self.conversation_id is not None else -self.id


def new_token() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """Tokens carry 256 random bits, so one SHA-256 is enough and the look-up stays one index probe."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


async def find_visitor(
    connection: Connection, organization_id: int, channel_id: int, token: str, now: datetime
) -> Visitor | None:
    """The visitor of this channel that the token belongs to."""
    row = await connection.fetchrow(VISITOR_SQL, organization_id, channel_id, hash_token(token))
    if row is None:
        return None
    if (now - row["last_seen_at"]).total_seconds() > 60:
        await connection.execute(SEEN_SQL, organization_id, row["id"], now)
    return Visitor(row["id"], row["contact_id"], row["conversation_id"])


async def mint_visitor(connection: Connection, organization_id: int, channel_id: int, now: datetime) -> str:
    """A new visitor; its token is known to nobody but the caller, the database keeps the hash."""
    token = new_token()
    await connection.execute(MINT_SQL, organization_id, channel_id, hash_token(token), now)
    return token


def read_message(body: object, limit: int) -> tuple[str, str]:
    """The idempotency key and the text of a posted message. `limit` is in Unicode characters.

    Raises `BadRequest` that names the field and what it may hold.
    """
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object with idempotency_key and text.")
    for name in body:
        if name not in ("idempotency_key", "text"):
            raise wrong(str(name)[:80], "is not a field of a message")
    key, text = body.get("idempotency_key"), body.get("text")
    if not isinstance(key, str) or not IDEMPOTENCY_KEY.fullmatch(key):
        raise wrong("idempotency_key", "must be 8 to 64 letters, digits, - or _")
    if not isinstance(text, str):
        raise wrong("text", "must be a string")
    return key, read_text(text, limit)


def read_text(text: str, limit: int) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text:
        raise wrong("text", "must not be empty")
    if len(text) > limit:
        raise wrong("text", f"may have at most {limit} characters, this has {len(text)}")
    if found := FORBIDDEN.search(text):
        raise wrong("text", f"must not contain the control character U+{ord(found[0]):04X}")
    return text


def wrong(name: str, rule: str) -> BadRequest:
    return BadRequest(f"{name} {rule}.", errors={name: rule})


def external_id(visitor: Visitor, idempotency_key: str) -> str:
    """What makes an inbound unique in its channel: two visitors may choose the same key."""
    return f"{visitor.id}:{idempotency_key}"


def shown(row: Mapping[str, object], names: Mapping[int, str]) -> dict[str, Json]:
    """A stored message as its visitor sees it: no ids but the position, no last names of staff."""
    sender = SENDERS[str(row["sender"])]
    created_at = row["created_at"]
    assert isinstance(created_at, datetime)
    message: dict[str, Json] = {
        "position": int(str(row["position"])),
        "from": sender,
        "name": None,
        "text": str(row["message_text"]),
        "created_at": created_at.isoformat().replace("+00:00", "Z"),
    }
    if sender == "visitor":
        message["idempotency_key"] = str(row["external_id"] or "").partition(":")[2] or None
    elif sender == "assistant":
        message["name"] = str(row["assistant_name"]) if row["assistant_name"] else None
        message["turn_id"] = int(str(row["ai_turn_id"])) if row["ai_turn_id"] else None
    elif sender == "person" and row["created_by_user_id"]:
        message["name"] = names.get(int(str(row["created_by_user_id"])))
    return message
