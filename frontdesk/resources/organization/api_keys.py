"""API keys: random, hashed, shown once. A key acts as the user who made it, in one organization."""

from __future__ import annotations

import hashlib
import secrets

from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.errors import Forbidden
from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource, Rights

PREFIX = "fd_"


def hash_key(key: str) -> str:
    """API keys carry 256 random bits, so a plain SHA-256 is enough and look-ups stay one index probe."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


async def _make_key(call: Call) -> None:
    if call.verb != "create":
        return
    if call.caller.user_id is None:
        raise Forbidden("An API key belongs to a user; log in to make one.")
    key = PREFIX + secrets.token_urlsafe(32)
    call.data["key_hash"] = hash_key(key)
    call.data["key_mask"] = f"{PREFIX}…{key[-4:]}"
    call.data["user_id"] = call.caller.user_id
    call.extra["key"] = key


api_keys = Resource(
    path="api-keys",
    singular="API key",
    area="organization",
    description="Keys for the header x-api-key. The key itself is in the answer to its creation, and never again.",
    rights=Rights(read=Role.admin, write=Role.admin),
    fields=(
        Field("name", is_required=True, is_nullable=False, max_length=120, example="Website"),
        Field("user_id", "integer", is_nullable=False, references="users", is_global_reference=True, write="never"),
        Field("key_hash", is_nullable=False, write="never", is_shown=False),
        Field("key_mask", is_nullable=False, write="never", example="fd_…x7Qe"),
        Field("expires_at", "moment", write="create"),
        Field("last_used_at", "moment", write="never"),
    ),
    unique=(("key_hash",),),
    prepare=_make_key,
)
