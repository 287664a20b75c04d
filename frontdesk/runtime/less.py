"""What a model is given less of, once, where it did not take the request: a shorter history, or no images."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError

from frontdesk.runtime.failure_kinds import kind_of
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.model_choice import note_shortening
from frontdesk.runtime.preparation import Ready

REFUSES_CONTENT = (400, 413, 415, 422)
SHORTER = 2  # by our own count, which was too small; the same request is shortened to the same
LEAST = 200  # tokens


@dataclass(frozen=True, slots=True)
class Less:
    tokens: int | None = None
    is_without_images: bool = False


async def less_for(failure: ModelAPIError, held: HeldTurn, ready: Ready) -> Less | None:
    """What may help against the refusal; None where nothing will."""
    kind = kind_of(failure)
    if kind == "context_too_long":
        tokens = max(LEAST, ready.tokens // SHORTER)
        await note_shortening(held, f"asked again with {tokens} tokens of history at most")
        return Less(tokens, ready.has_images)
    is_refusal = isinstance(failure, ModelHTTPError) and failure.status_code in REFUSES_CONTENT
    if ready.has_images and (is_refusal or kind == "content_filtered"):
        # Most likely an image is what it did not take: better an answer without than none.
        return Less(is_without_images=True)
    return None
