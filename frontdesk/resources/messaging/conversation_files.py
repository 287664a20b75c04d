"""Files of conversations: the record of an uploaded file, which a message names by `conversation_file_id`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, cast

from frontdesk.core.door import Call, Door
from frontdesk.core.errors import Fault, Invalid, Json
from frontdesk.core.fields import Field
from frontdesk.core.file_kinds import CATEGORIES, category_of, read_key
from frontdesk.core.resource import Own, Resource
from frontdesk.core.uploads import check_stored, claim

PURPOSE = "conversation-file"


def _text_id(source: FromClause) -> ColumnElement[Any]:
    """Messages and files show their id as text too, as the published API has it."""
    return cast(source.c.id, Text)


async def _look(call: Call) -> None:
    await check_stored(call, PURPOSE)


async def _prepare(call: Call) -> None:
    await claim(call, PURPOSE)
    given, found = call.data.get("file_category"), category_of(str(call.data["file_type"]))
    if given not in (None, "file", found):
        message = f"does not fit the type {call.data['file_type']}, which is of the category {found}"
        raise Invalid([Fault("file_category", "enum", message, allowedValues=["file", found])])
    call.data["file_category"] = given or found


def _url(door: Door, row: Mapping[str, Json]) -> dict[str, Json]:
    key = read_key(str(row["s3_key"]))
    return {"url": door.files.download_url(key) if key else None}


conversation_files = Resource(
    path="conversation-files",
    singular="conversation file",
    area="messaging",
    description="Files that were uploaded for a conversation.",
    verbs=("find", "get", "create"),
    own=Own(conversation="conversation_id"),
    fields=(
        Field(
            "conversation_id", "integer", is_required=True, is_nullable=False, references="conversations",
            write="create", example=1,
        ),
        Field("file_name", is_nullable=False, write="create", max_length=255, example="invoice.pdf"),
        Field("file_type", is_nullable=False, write="create", max_length=192, example="application/pdf"),
        Field("file_size", "integer", is_nullable=False, write="create", minimum=1, description="Bytes."),
        Field(
            "s3_key", is_required=True, is_nullable=False, write="create", max_length=300,
            description="`s3PathWithoutBucket` of the upload.",
        ),
        Field("s3_path", is_nullable=False, write="create", max_length=400),
        Field(
            "file_category", is_nullable=False, write="create", choices=(*CATEGORIES, "file"), example="file",
            description="Left out, it follows from the type.",
        ),
    ),
    joins={"_id": _text_id},
    derived=(Field("url", write="never", description="Where to read the file; valid for one to two hours."),),
    derive=_url,
    look=_look,
    prepare=_prepare,
)  # fmt: skip
