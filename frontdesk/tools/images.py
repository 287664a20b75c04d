"""`send_image`: pictures of products, files of the organization, and images whose address an internal tool gave.

The model names a record; where the bytes lie comes from its row, read within the scope of the call. An address of its
own invention, or of the customer's, is never sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets.abstract import AbstractToolset, ToolsetTool

from frontdesk.assistants.image_sending import LONGEST_CAPTION, SEND_IMAGE
from frontdesk.assistants.permissions import permission
from frontdesk.assistants.tool_keys import TOOL_KEYS
from frontdesk.core.errors import Json
from frontdesk.core.file_kinds import ADDRESS, key_of, read_key
from frontdesk.core.uploads import keep
from frontdesk.runtime.tooling import Picture, ToolDeps

from .arguments import Ctx
from .failures import WrongCall, wrong_arguments
from .internal import RAW, UNREADABLE, ShortSchema

# Results in which an address may stand: of internal tools only, because those of others are other people's texts.
GIVEN = """
    SELECT s.result::text FROM ai_turns t
    JOIN ai_turn_steps s ON s.organization_id = t.organization_id AND s.ai_turn_id = t.id
    WHERE t.organization_id = $1 AND t.conversation_id = $2 AND s.kind = 'tool' AND s.status = 'done'
        AND CASE s.tool_name WHEN 'call_tool' THEN s.arguments ->> 'name' ELSE s.tool_name END = ANY($3)
        AND strpos(s.result::text, $4) > 0
    ORDER BY s.id DESC LIMIT 50
"""
LINK = re.compile(r"https://[^\s\"'<>\\]+")


class Wanted(BaseModel):
    """The arguments; exactly one of the first four."""

    model_config = ConfigDict(extra="forbid", strict=True)

    product_id: Annotated[int | None, Field(description="Send the first picture of this product.")] = None
    product_media_id: Annotated[
        int | None, Field(description="Send this picture of a product, from `images` of get_product.")
    ] = None
    file_id: Annotated[int | None, Field(description="Send this file; only an id that you were given.")] = None
    url: Annotated[
        str | None,
        Field(max_length=2_000, description="Send the image at this https address, exactly as a tool gave it."),
    ] = None
    caption: Annotated[str | None, Field(max_length=LONGEST_CAPTION, description="A short text under the image.")] = (
        None
    )

    @property
    def source(self) -> str:
        """The one member that says which image. Raises `WrongCall` for none or several."""
        given = [name for name in Wanted.model_fields if name != "caption" and getattr(self, name) is not None]
        if len(given) != 1:
            raise WrongCall(
                f"{SEND_IMAGE} was not called: give exactly one of product_id, product_media_id, file_id and url."
            )
        return given[0]


DEFINITION = ToolDefinition(
    name=SEND_IMAGE,
    description="Send the customer an image with your answer: it is sent right before your words, so do not announce"
    " it as if it came later. Call it once for each image.",
    parameters_json_schema=Wanted.model_json_schema(schema_generator=ShortSchema),
    # It reaches nobody before the answer does, so a newer message may still overtake it: no effect yet. Its calls
    # are made one by one, because the images keep their order.
    metadata={"is_change": False, "stays": True, "in_order": True},
)


class ImageToolset(AbstractToolset[ToolDeps]):
    """One tool, for the assistants that may send images."""

    @property
    def id(self) -> str | None:
        return "images"

    async def get_tools(self, ctx: Ctx) -> dict[str, ToolsetTool[ToolDeps]]:
        if not permission(ctx.deps.config, SEND_IMAGE).is_allowed:
            return {}
        return {SEND_IMAGE: ToolsetTool(toolset=self, tool_def=DEFINITION, max_retries=0, args_validator=RAW)}

    async def call_tool(self, name: str, tool_args: dict[str, object], ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Json:
        deps = ctx.deps
        if deps.connection is None or ctx.tool_call_id is None:
            raise RuntimeError("a tool was called around its wrappers")
        if UNREADABLE in tool_args:
            raise WrongCall(f"{SEND_IMAGE} takes its arguments as one JSON object.")
        try:
            wanted = Wanted.model_validate(tool_args)
        except ValidationError as error:
            raise WrongCall(wrong_arguments(SEND_IMAGE, error)) from None
        picture = await _picture(deps, wanted)
        if (key := key_of(picture.s3_path)) is not None:
            await keep(deps.connection, key, deps.clock.now())
        return await deps.turn.queue_image(deps.connection, ctx.tool_call_id, picture)


async def _picture(deps: ToolDeps, wanted: Wanted) -> Picture:
    caption = (wanted.caption or "").strip()
    match wanted.source:
        case "product_id":
            return await _of_product(deps, cast(int, wanted.product_id), None, caption)
        case "product_media_id":
            medium = await deps.call("product-media", "get", id=wanted.product_media_id)
            return await _of_product(deps, cast(int, medium["product_id"]), cast(int, medium["id"]), caption)
        case "file_id":
            return await _of_file(deps, cast(int, wanted.file_id), caption)
    return await _of_address(deps, str(wanted.url), caption)


async def _of_product(deps: ToolDeps, product_id: int, medium_id: int | None, caption: str) -> Picture:
    """A picture of a product that the call may see: a medium by itself does not tell whether its product is public."""
    product = await deps.call("products", "get", id=product_id)
    media = [one for one in cast("list[dict[str, Json]]", product["media"]) if is_picture(one)]
    chosen = next((one for one in media if medium_id in (None, one["id"])), None)
    if chosen is None:
        raise WrongCall(f"The product {product_id} has no such picture. Answer without it.")
    path = str(chosen["media_path"])
    if not path.startswith(ADDRESS):
        return Picture(caption, link=path, media_url=path)
    key = read_key(path.removeprefix(ADDRESS))
    if key is None:
        raise WrongCall(f"The picture of the product {product_id} is gone. Answer without it.")
    files = deps.door.files
    return Picture(
        caption, link=files.download_url(key), s3_path=files.s3_path(key.text), file_name=key.text.rpartition("/")[2],
        file_type=cast("str | None", chosen["file_type"]),
    )  # fmt: skip


def is_picture(medium: dict[str, Json]) -> bool:
    """What was uploaded says its type; of an address elsewhere nobody knows, and most are pictures."""
    return str(medium.get("file_type") or "image/").startswith("image/")


async def _of_file(deps: ToolDeps, file_id: int, caption: str) -> Picture:
    file = await deps.call("conversation-files", "get", id=file_id)
    if not str(file["file_type"]).startswith("image/"):
        raise WrongCall(f"The file {file_id} is no image. Answer without it.")
    path, name, kind = (cast("str | None", file[member]) for member in ("s3_path", "file_name", "file_type"))
    # Its address expires in an hour or two, so it is no link for a mail.
    return Picture(caption, s3_path=path, file_name=name, file_type=kind, file_size=cast(int, file["file_size"]))


async def _of_address(deps: ToolDeps, url: str, caption: str) -> Picture:
    assert deps.connection is not None
    turn = deps.turn
    rows = await deps.connection.fetch(GIVEN, turn.organization_id, turn.conversation_id, list(TOOL_KEYS), url)
    if url not in {link for row in rows for link in links(json.loads(row[0]))}:
        raise WrongCall(
            f"{SEND_IMAGE} was not called: url must be an https address that one of your tools gave in this"
            " conversation, letter by letter. Answer without it."
        )
    return Picture(caption, link=url, media_url=url)


def links(value: Json) -> Iterator[str]:
    """Every https address in a result, whole: as a text by itself, or within one."""
    if isinstance(value, str):
        yield from (match.rstrip(".,;:!?)]") for match in LINK.findall(value))
        yield from LINK.findall(value)
    elif isinstance(value, list):
        for item in value:
            yield from links(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from links(item)
