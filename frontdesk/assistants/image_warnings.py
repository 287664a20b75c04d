"""What an assistant's image settings cannot do as they stand."""

from __future__ import annotations

from collections.abc import Iterator

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.permissions import permission
from frontdesk.core.errors import Json

FINDERS = ("get_product", "search_products")


def image_warnings(config: AssistantConfig) -> Iterator[dict[str, Json]]:
    if config.assistant_type == "voice":
        for field in ("analyze_images", "can_send_images"):
            if getattr(config, field):
                yield _warning(field, "no_images_by_voice", "There are no images in a call; this has no effect.")
    elif config.can_send_images and config.disable_reply:
        message = "While disable_reply is on nothing is sent, so no images are either."
        yield _warning("can_send_images", "images_unused", message)
    elif config.can_send_images and not any(permission(config, name).is_allowed for name in FINDERS):
        message = "No tool that finds pictures (get_product, search_products) is on; only files by id can be sent."
        yield _warning("can_send_images", "images_without_source", message)


def _warning(field: str, code: str, message: str) -> dict[str, Json]:
    return {"field": field, "code": code, "message": message}
