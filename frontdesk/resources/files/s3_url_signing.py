"""`POST /s3-url-signing`: an address to PUT one file to, of the announced type and size, for an hour."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from frontdesk.core.door import Call, Door
from frontdesk.core.errors import Json
from frontdesk.core.fields import Field
from frontdesk.core.file_kinds import make_key, read_key
from frontdesk.core.files import UPLOAD_SECONDS, Upload
from frontdesk.core.formats import iso_text
from frontdesk.core.resource import Resource

from .file_uploads import FIELDS


async def _prepare(call: Call) -> None:
    data = call.data
    purpose, file_type = str(data["type"]), str(data["file_type"])
    call.door.files.check(purpose, file_type, int(str(data["file_size"])))
    data["s3_key"] = make_key(call.organization_id, purpose, str(data["file_name"])).text
    data["claims"] = 0


def _address(door: Door, row: Mapping[str, Json]) -> dict[str, Json]:
    key = read_key(str(row["s3_key"]))
    assert key is not None
    expires_at = datetime.fromisoformat(str(row["created_at"])) + timedelta(seconds=UPLOAD_SECONDS)
    upload = Upload(key, str(row["file_type"]), int(str(row["file_size"])), expires_at)
    return {
        "s3PathWithoutBucket": key.text,
        "s3Path": door.files.s3_path(key.text),
        "signed_url": door.files.sign_upload(upload),
        "method": "PUT",
        "headers": {"Content-Type": upload.file_type},
        "expires_at": iso_text(expires_at),
    }


s3_url_signing = Resource(
    path="s3-url-signing",
    singular="upload address",
    area="files",
    description="Signs an address to upload one file to: PUT the bytes there with the header Content-Type.",
    of="file-uploads",
    verbs=("create",),
    is_soft_deleted=False,
    is_told=False,
    fields=FIELDS,
    prepare=_prepare,
    derived=(
        Field("s3PathWithoutBucket", write="never", is_nullable=False, description="The key: what records name."),
        Field("s3Path", write="never", is_nullable=False, description="`s3://bucket/key`"),
        Field("signed_url", write="never", is_nullable=False, description="Where to send the bytes."),
        Field("method", write="never", is_nullable=False, choices=("PUT",)),
        Field("headers", "json", write="never", is_nullable=False, description="To send with the bytes."),
        Field("expires_at", "moment", write="never", is_nullable=False, description="An upload must begin before."),
    ),
    derive=_address,
)
