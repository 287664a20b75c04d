"""The web chat as a channel: its visitors and their tokens, what may be written, and how messages are shown to them."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, LargeBinary, Table

from frontdesk.channels.protocol import LocalChannel
from frontdesk.core.clock import Clock
from frontdesk.core.database import Connection, Database
from frontdesk.core.errors import BadRequest, Json, NotFound
from frontdesk.core.file_kinds import key_of
from frontdesk.core.files import Files
from frontdesk.core.formats import iso_text
from frontdesk.core.live import notify
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

WEBCHAT = LocalChannel("webchat")

Message = dict[str, Json]

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
    WHERE organization_id = $1 AND id = $2 AND last_seen_at < $3::timestamptz - interval '1 minute'
"""
MINT_SQL = """
    INSERT INTO webchat_visitors (organization_id, inbox_channel_id, token_hash, created_at, last_seen_at)
    VALUES ($1, $2, $3, $4, $4)
"""
# Notes are for the organization's own people. A file is shown by its address.
MESSAGES_SQL = """
    SELECT m.id, m.position, m.sender, m.message_type, m.message_text, m.media_url, m.s3_path, m.created_at,
        m.external_id, m.ai_turn_id, m.created_by_user_id, a.name AS assistant_name
    FROM conversation_messages m
    LEFT JOIN ai_assistants a ON a.organization_id = m.organization_id AND a.id = m.created_by_ai_assistant_id
    WHERE m.organization_id = $1 AND m.conversation_id = $2 AND m.deleted_at IS NULL
        AND m.message_type NOT IN ('note', 'reaction') AND coalesce(m.message_text, m.media_url, m.s3_path) IS NOT NULL
"""
AFTER_SQL = MESSAGES_SQL + " AND m.position > $3 ORDER BY m.position LIMIT $4"
BEFORE_SQL = MESSAGES_SQL + " AND m.position < $3 ORDER BY m.position DESC LIMIT $4"
NAMES_SQL = "SELECT id, first_name FROM users WHERE id = ANY($1)"

LOCK_SQL = "SELECT 1 FROM webchat_visitors WHERE organization_id = $1 AND id = $2 FOR UPDATE"
# A statement of its own: one that waited for the lock would still see the joined tables as they were before.
LINKS_SQL = """
    SELECT p.id AS contact_id, c.id AS conversation_id
    FROM webchat_visitors v
    LEFT JOIN conversations c
        ON c.organization_id = v.organization_id AND c.id = v.conversation_id AND c.deleted_at IS NULL
    LEFT JOIN contacts p ON p.organization_id = v.organization_id AND p.id = v.contact_id AND p.deleted_at IS NULL
    WHERE v.organization_id = $1 AND v.id = $2
"""
LINK_SQL = """
    UPDATE webchat_visitors SET contact_id = $3, conversation_id = $4 WHERE organization_id = $1 AND id = $2
"""


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

    def external_id(self, idempotency_key: str) -> str:
        """What makes an inbound unique in its channel: two visitors may choose the same key."""
        return f"{self.id}:{idempotency_key}"


def new_token() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """Tokens carry 256 random bits, so one SHA-256 is enough and the look-up stays one index probe."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


class Webchat:
    """The visitors of all web chats, and their conversations as they see them."""

    def __init__(self, database: Database, clock: Clock, files: Files | None = None) -> None:
        self.database, self.clock, self.files = database, clock, files

    def read_message(self, body: object, limit: int) -> tuple[str, str]:
        return read_message(body, limit)

    async def find(self, organization_id: int, channel_id: int, token: str) -> Visitor | None:
        """The visitor of this channel that the token belongs to."""
        now = self.clock.now()
        async with self.database.reading(organization_id) as connection:
            row = await connection.fetchrow(VISITOR_SQL, organization_id, channel_id, hash_token(token))
            if row is None:
                return None
            if (now - row["last_seen_at"]).total_seconds() > 60:
                await connection.execute(SEEN_SQL, organization_id, row["id"], now)
        return Visitor(row["id"], row["contact_id"], row["conversation_id"])

    async def mint(self, organization_id: int, channel_id: int) -> str:
        """A new visitor; its token is known to nobody but the caller, the database keeps the hash."""
        token = new_token()
        async with self.database.transaction(organization_id) as connection:
            await connection.execute(MINT_SQL, organization_id, channel_id, hash_token(token), self.clock.now())
        return token

    async def lock(
        self, connection: Connection, organization_id: int, visitor_id: int
    ) -> tuple[int | None, int | None]:
        """The visitor's living contact and conversation, as nobody else can change them in this transaction.

        Two tabs that write their first message at once are one after the other here, and get one conversation.
        """
        await connection.execute(LOCK_SQL, organization_id, visitor_id)
        row = await connection.fetchrow(LINKS_SQL, organization_id, visitor_id)
        if row is None:
            raise NotFound("This visitor is gone. Open a session again.")
        return row["contact_id"], row["conversation_id"]

    async def link(
        self, connection: Connection, organization_id: int, visitor_id: int, contact_id: int, conversation_id: int
    ) -> None:
        """The visitor has a conversation from now on: its other tabs have been waiting for one to follow."""
        await connection.execute(LINK_SQL, organization_id, visitor_id, contact_id, conversation_id)
        await notify(connection, organization_id, -visitor_id, "conversation", {"id": conversation_id})

    async def after(self, organization_id: int, conversation_id: int, position: int, limit: int) -> list[Message]:
        """Messages behind a position, oldest first."""
        return await self._read(AFTER_SQL, organization_id, conversation_id, position, limit)

    async def before(self, organization_id: int, conversation_id: int, position: int, limit: int) -> list[Message]:
        """The last messages before a position, oldest first."""
        return (await self._read(BEFORE_SQL, organization_id, conversation_id, position, limit))[::-1]

    async def _read(
        self, sql: str, organization_id: int, conversation_id: int, position: int, limit: int
    ) -> list[Message]:
        async with self.database.reading(organization_id) as connection:
            rows = await connection.fetch(sql, organization_id, conversation_id, position, limit)
        people = {row["created_by_user_id"] for row in rows if row["sender"] == "user"} - {None}
        names = await self._first_names(people) if people else {}
        return [shown({**row, "address": self._address(dict(row))}, names) for row in rows]

    def _address(self, row: Mapping[str, object]) -> str | None:
        """Where the visitor reads the file of a message."""
        key = None if row["media_url"] or self.files is None else key_of(cast("str | None", row["s3_path"]))
        if key is None or self.files is None:
            return cast("str | None", row["media_url"])
        return self.files.download_url(key)

    async def _first_names(self, user_ids: Iterable[int]) -> dict[int, str]:
        async with self.database.system() as connection:
            rows = await connection.fetch(NAMES_SQL, list(user_ids))
        return {row["id"]: row["first_name"] for row in rows}


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


def shown(row: Mapping[str, object], names: Mapping[int, str]) -> Message:
    """A stored message as its visitor sees it: no ids but the position, no last names of staff."""
    sender = SENDERS[str(row["sender"])]
    created_at = row["created_at"]
    image = row.get("address") if row.get("message_type") == "image" else None
    assert isinstance(created_at, datetime)
    message: Message = {
        "position": int(str(row["position"])),
        "from": sender,
        "name": None,
        # A file of another kind is a line with its address.
        "text": "\n".join(str(part) for part in (row["message_text"], None if image else row.get("address")) if part),
        "created_at": iso_text(created_at),
    }
    if image:
        message["image"] = str(image)
    if sender == "visitor":
        message["idempotency_key"] = str(row["external_id"] or "").partition(":")[2] or None
    elif sender == "assistant":
        message["name"] = str(row["assistant_name"]) if row["assistant_name"] else None
        message["turn_id"] = int(str(row["ai_turn_id"])) if row["ai_turn_id"] else None
    elif sender == "person" and row["created_by_user_id"]:
        message["name"] = names.get(int(str(row["created_by_user_id"])))
    return message
