"""What a person's message is made of: which members of the body belong to its type, and what they refer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from frontdesk.core.capabilities import CAPABILITIES, MEDIA
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid, Json, NotFound
from frontdesk.core.file_kinds import key_of
from frontdesk.core.uploads import keep
from frontdesk.runtime.templates import filled
from frontdesk.runtime.thread import Conversation

FILE_MEMBERS = ("media_url", "s3_path", "conversation_file_id", "file_name", "file_type", "file_size")
SOURCES = ("media_url", "s3_path", "conversation_file_id")
# Which members a type takes beside the text; those of another type in a body are a mistake that is named.
MEMBERS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(MEDIA, FILE_MEMBERS),
    "text": (),
    "note": FILE_MEMBERS,
    "location": ("location",),
    "reaction": ("reaction_to_message_id", "emoji"),
    "template": ("template_id", "template_name", "template_language", "template_values"),
}
SPECIAL = frozenset(name for names in MEMBERS.values() for name in names)
TARGET = """
    SELECT true FROM conversation_messages
    WHERE organization_id = $1 AND conversation_id = $2 AND id = $3 AND deleted_at IS NULL
        AND message_type NOT IN ('note', 'reaction')
"""


def invalid(name: str, keyword: str, message: str) -> Invalid:
    return Invalid([Fault(name, keyword, message)])


async def compose(call: Call, talk: Conversation) -> tuple[str, dict[str, Json]]:
    """The text and the other columns of the message that the body describes. Raises `Invalid` naming the field."""
    data, kind = call.data, str(call.data["message_type"])
    known = CAPABILITIES[talk.channel]
    if kind not in known.message_types:
        raise invalid("message_type", "enum", f"{known.title} takes no messages of the type {kind}")
    for name in SPECIAL - set(MEMBERS[kind]):
        if data.get(name) is not None:
            raise invalid(name, "notForType", f"does not belong to a message of the type {kind}")
    text = str(data.get("message_text") or "")
    if kind in ("text", "note") and not text.strip():
        raise invalid("message_text", "required", "is required")
    if kind != "note" and len(text) > known.longest_text:
        raise invalid("message_text", "maxLength", f"must not have more than {known.longest_text} characters")
    extras: dict[str, Json] = {}
    if (target := data.get("reply_to_message_id")) is not None:
        await _require(call, talk, "reply_to_message_id", target)
        extras["reply_to_message_id"] = cast(int, target)
    if kind in MEDIA or kind == "note":
        extras |= await file_of(call, is_required=kind in MEDIA)
    elif kind == "location":
        if data.get("location") is None:
            raise invalid("location", "required", "is required")
        extras["location"] = cast(Json, data["location"])
    elif kind == "reaction":
        text, reaction = await _reaction(call, talk)
        extras |= reaction
    elif kind == "template":
        text, extras["template"] = await filled(call, talk.inbox_channel_id)
    return text, extras


async def _reaction(call: Call, talk: Conversation) -> tuple[str, dict[str, Json]]:
    target, emoji = call.data.get("reaction_to_message_id"), call.data.get("emoji")
    if target is None:
        raise invalid("reaction_to_message_id", "required", "is required")
    if emoji is None:
        raise invalid("emoji", "required", "is required; an empty text takes the reaction back")
    await _require(call, talk, "reaction_to_message_id", target)
    return str(emoji), {"reaction_to_message_id": cast(int, target), "emoji": str(emoji)}


async def _require(call: Call, talk: Conversation, name: str, id: object) -> None:
    if not await call.connection.fetchval(TARGET, talk.organization_id, talk.id, id):
        raise invalid(name, "reference", "names no message of this conversation")


async def file_of(call: Call, *, is_required: bool) -> dict[str, Json]:
    """The file's members; those of a stored file come from its row, so that nobody sends what is not theirs."""
    given = {name: cast(Json, call.data[name]) for name in FILE_MEMBERS if call.data.get(name) is not None}
    if call.data.get("s3_key") is not None:
        given.setdefault("s3_path", call.door.files.s3_path(str(call.data["s3_key"])))
    if is_required and not any(name in given for name in SOURCES):
        raise invalid("media_url", "required", "a file is required: media_url, s3_path or conversation_file_id")
    key = key_of(cast("str | None", given.get("s3_path")))
    if given.get("s3_path") is not None and (key is None or key.organization_id != call.organization_id):
        # A path of somebody else's would be signed for the customer to read.
        raise invalid("s3_path", "reference", "names no file of the organization")
    id = given.get("conversation_file_id")
    if key is not None and id is None and not await keep(call.connection, key, call.door.clock.now()):
        raise invalid("s3_path", "reference", "names no file that was uploaded")
    if id is not None:
        try:
            row = (await call.call("conversation-files", "get", id=cast(int, id))).value
        except NotFound:
            raise invalid("conversation_file_id", "reference", "names no file that exists") from None
        given |= {name: row[name] for name in ("s3_path", "file_name", "file_type", "file_size") if row.get(name)}
    return given
