"""Pictures and films of products: uploaded files, or addresses elsewhere. The first one stands for the product."""

from __future__ import annotations

from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Field, Plain, Wrong
from frontdesk.core.file_kinds import ADDRESS
from frontdesk.core.formats import check_website
from frontdesk.core.resource import Own, Resource
from frontdesk.core.uploads import check_stored, claim, release

PURPOSE = "product-media"
NEXT_POSITION = """
    SELECT coalesce(max(position) + 1, 0) FROM product_media
    WHERE organization_id = $1 AND product_id = $2 AND deleted_at IS NULL
"""


def _over_https(value: Plain) -> str:
    """An address that a customer's page and a channel's provider may fetch."""
    if not str(value).lower().startswith("https://"):
        raise Wrong("format", "must begin with https://", format="uri")
    return check_website(value)


async def _look(call: Call) -> None:
    if call.verb == "create":
        await check_stored(call, PURPOSE)


async def _prepare(call: Call) -> None:
    if call.verb == "create":
        await _take(call)
    elif call.verb == "remove" and call.before and (key := call.before["s3_key"]) is not None:
        await release(call.connection, call.organization_id, str(key), call.door.clock.now())


async def _take(call: Call) -> None:
    data = call.data
    if (data.get("s3_key") is None) == (data.get("url") is None):
        raise Invalid([Fault("s3_key", "oneOf", "give either s3_key of an upload or url")])
    if data.get("s3_key") is not None:
        await claim(call, PURPOSE)
        data["media_path"] = f"{ADDRESS}{data['s3_key']}"
    else:
        data["media_path"] = data["url"]
    if data.get("position") is None:
        data["position"] = await call.connection.fetchval(NEXT_POSITION, call.organization_id, data["product_id"])


product_media = Resource(
    path="product-media",
    singular="product medium",
    area="products",
    description="Pictures and films of products, in the order of `position`.",
    own=Own(is_public=True),
    fields=(
        Field(
            "product_id", "integer", is_required=True, is_nullable=False, references="products", on_remove="remove",
            write="create", example=1,
        ),
        Field(
            "s3_key", write="create", max_length=300,
            description="`s3PathWithoutBucket` of an upload of the type product-media; or give `url`.",
        ),
        Field(
            "url", write="create", max_length=2000, check=_over_https, example="https://example.com/photo.jpg",
            description="A picture elsewhere.",
        ),
        Field(
            "media_path", is_nullable=False, write="never",
            description="Where to read it: a path of this server, or `url`. It does not expire.",
        ),
        Field("file_type", write="never"),
        Field("file_size", "integer", write="never"),
        Field("alt", max_length=300, description="What the picture shows, for those who cannot see it."),
        Field("position", "small", is_nullable=False, minimum=0, description="Left out: after the last one."),
    ),
    indexes=(("product_id", "position"),),
    look=_look,
    prepare=_prepare,
)  # fmt: skip
