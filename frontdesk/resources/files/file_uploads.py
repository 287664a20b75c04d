"""Uploads: what was promised an address, how large it will be, and how many records use it."""

from __future__ import annotations

from sqlalchemy import Index, text

from frontdesk.core.fields import Field
from frontdesk.core.file_kinds import PURPOSES
from frontdesk.core.resource import Resource

FIELDS = (
    Field(
        "type", is_required=True, is_nullable=False, write="create", choices=tuple(PURPOSES),
        example="conversation-file", description="What the file is for.",
    ),
    Field("file_name", is_required=True, is_nullable=False, write="create", max_length=255, example="invoice.pdf"),
    Field(
        "file_type", is_required=True, is_nullable=False, write="create", max_length=192, example="application/pdf",
        description="The media type, in lower case and without parameters.",
    ),
    Field(
        "file_size", "integer", is_required=True, is_nullable=False, write="create", minimum=1, example=48211,
        description="Bytes.",
    ),
    Field("s3_key", is_nullable=False, write="never"),
    Field("claims", "small", is_nullable=False, default=0, write="never", is_shown=False),
    Field("removing_at", "moment", write="never", is_shown=False),
)  # fmt: skip

file_uploads = Resource(
    path="file-uploads",
    singular="upload",
    area="files",
    description="Files that were promised an address.",
    verbs=(),
    is_soft_deleted=False,
    is_told=False,
    fields=FIELDS,
    unique=(("s3_key",),),
    # What the worker looks for once in a while, over all organizations: little of many.
    constraints=(Index("ix_file_uploads_unclaimed", text("updated_at"), postgresql_where=text("claims = 0")),),
)
