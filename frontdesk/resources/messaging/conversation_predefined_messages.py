"""Canned replies: texts and files that people send with two clicks."""

from __future__ import annotations

import re

from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Field, Plain, Wrong
from frontdesk.core.resource import Resource

MEDIA_TYPES = ("image", "video", "document", "audio")
TYPE = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.ASCII | re.IGNORECASE)


def _check_type(value: Plain) -> Plain:
    """The published list is open, so any word is a type; what needs which member is known for the named ones."""
    if not TYPE.fullmatch(str(value)):
        raise Wrong("pattern", "must be a word such as text or image", pattern=TYPE.pattern)
    return value


def _check_media(value: Plain) -> Plain:
    """A key of the file store, or a whole URL; no other scheme may reach a browser as a link."""
    scheme = SCHEME.match(str(value))
    if scheme and scheme[1].lower() not in ("http", "https", "s3"):
        raise Wrong("format", "must be a key or an http(s) URL", format="uri-reference")
    return value


def _check_filled(value: Plain) -> Plain:
    if not re.search(r"\S", str(value)):
        raise Wrong("minLength", "must not be empty", limit=1)
    return value


async def _prepare(call: Call) -> None:
    if call.verb == "remove" or not call.data.keys() & {"content", "media_url", "message_type"}:
        return
    stored = {**(call.before or {}), **call.data}
    needed = "media_url" if stored["message_type"] in MEDIA_TYPES else "content"
    if not stored.get(needed):
        message = f"is required for the message type {stored['message_type']}"
        raise Invalid([Fault(needed, "required", message, missingProperty=needed)])


conversation_predefined_messages = Resource(
    path="conversation-predefined-messages",
    singular="canned reply",
    area="messaging",
    description="Canned replies of the organization.",
    fields=(
        Field(
            "title", is_required=True, is_nullable=False, max_length=200, check=_check_filled, is_searched=True,
            description="Its label in the picker.", example="Opening hours",
        ),
        Field("content", max_length=4000, is_searched=True, example="We are open from Monday to Friday, 9 to 18."),
        Field(
            "message_type", is_nullable=False, default="text", max_length=40, check=_check_type,
            description="text, image, video, document, audio, location, or another word.",
        ),
        Field("media_url", max_length=4000, check=_check_media, description="Key of the file store, or a whole URL."),
        Field("filename", max_length=400),
        Field("mime_type", max_length=200),
    ),
    default_sort=(("title", 1),),
    prepare=_prepare,
)  # fmt: skip
