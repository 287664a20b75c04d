"""What a body of the send services may hold. Which of it belongs together is checked where it is sent."""

from __future__ import annotations

from urllib.parse import urlsplit

from frontdesk.core.fields import Field, Plain, Wrong

MOST_VALUES = 50  # of a template
LONGEST_TEXT = 4096  # characters, of the most patient channel


def _check_url(value: Plain) -> Plain:
    parts = urlsplit(str(value))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Wrong("format", "must be an address that begins with https:// or http://", format="uri")
    return value


def _check_location(value: Plain) -> Plain:
    """Degrees, as WGS 84 has them; the words for the place are optional."""
    if not isinstance(value, dict) or not {"latitude", "longitude"} <= set(value):
        raise Wrong("required", "must have latitude and longitude")
    for name, most in (("latitude", 90), ("longitude", 180)):
        number = value[name]
        if isinstance(number, bool) or not isinstance(number, int | float) or not -most <= number <= most:
            raise Wrong("maximum", f"{name} must be a number from -{most} to {most}")
    for name in ("name", "address"):
        if not isinstance(value.get(name, ""), str) or len(str(value.get(name, ""))) > 300:
            raise Wrong("maxLength", f"{name} must be a text of at most 300 characters")
    return {name: value[name] for name in ("latitude", "longitude", "name", "address") if name in value}


def _check_values(value: Plain) -> Plain:
    """Texts and numbers for a template's variables: a list in their order, or an object by name."""
    values = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(values, list) or len(values) > MOST_VALUES:
        raise Wrong("maxItems", f"must hold at most {MOST_VALUES} values")
    if any(isinstance(one, bool) or not isinstance(one, str | int | float) or len(str(one)) > 1024 for one in values):
        raise Wrong("type", "must hold texts or numbers of at most 1024 characters")
    return value


MEDIA_INPUT = (
    Field("media_url", max_length=4000, check=_check_url, description="A public address of the file."),
    Field("s3_path", max_length=1200),
    Field("conversation_file_id", "key", description="A file of /conversation-files, by id or _id."),
    Field("file_name", max_length=400),
    Field("file_type", max_length=200),
    Field("file_size", "integer", minimum=0),
)

TEMPLATE_INPUT = (
    Field("template_id", "integer", description="Of a template: its id, or else name and language."),
    Field("template_name", max_length=512),
    Field("template_language", max_length=20),
    Field("template_values", "json", check=_check_values, description="A list in their order, or an object by name."),
)

SEND_INPUT = (
    Field("conversation_id", "integer", is_required=True, is_nullable=False, references="conversations", example=1),
    Field("message_text", max_length=LONGEST_TEXT, example="Hello, this is Marta."),
    Field(
        "message_type", is_nullable=False, default="text",
        choices=("text", "note", "reaction", "image", "video", "document", "audio", "location", "template"),
    ),
    *MEDIA_INPUT,
    Field("location", "json", check=_check_location),
    Field("reply_to_message_id", "key", description="The message that this one answers, by id or _id."),
    Field("reaction_to_message_id", "key", description="For a reaction: the message it is to, by id or _id."),
    Field("emoji", max_length=32, description="For a reaction; empty takes the earlier one back."),
    *TEMPLATE_INPUT,
    Field(
        "takeover",
        "boolean",
        description="Take the conversation over. Default: true for a login, false for an API key; a note never does.",
    ),
)  # fmt: skip

PLAYGROUND_INPUT = (
    Field("message_text", max_length=4000, example="Are you open on Saturday?"),
    Field("message_type", is_nullable=False, default="text", choices=("text", "image", "video", "document", "audio")),
    Field("contact_id", "integer", is_required=True, is_nullable=False, references="contacts", example=1),
    Field("conversation_id", "integer", references="conversations"),
    Field("assistant_id", "integer", references="ai-assistants", example=1),
    *MEDIA_INPUT,
    Field("s3_key", max_length=1024),
)
