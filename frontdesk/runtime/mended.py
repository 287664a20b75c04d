"""Letters that a server cut in two: one that counts in UTF-16 may send half an emoji at the end of a piece.

Such halves can be neither stored nor shown; joined again they are the letter. What stays half becomes U+FFFD.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from pydantic_ai.messages import ModelResponse, ModelResponsePart, TextPart, ThinkingPart, ToolCallPart

HALF = re.compile("[\ud800-\udfff]")


def joined(text: str) -> str:
    """The text with halves that follow each other as the letter that they are."""
    if HALF.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def parted(text: str) -> tuple[str, str]:
    """The text without a half at its end, and that half, which waits for the next piece."""
    is_half = "\ud800" <= text[-1:] <= "\udbff"
    return (joined(text[:-1]), text[-1]) if is_half else (joined(text), "")


def mended(response: ModelResponse) -> ModelResponse:
    """The response as it can be stored."""
    parts = [_mended(part) for part in response.parts]
    return response if parts == response.parts else replace(response, parts=parts)


def has_words(text: str) -> bool:
    """Whether there is anything to see: neither white space nor signs without a width."""
    return any(unicodedata.category(sign)[0] not in "ZC" for sign in text)


def _mended(part: ModelResponsePart) -> ModelResponsePart:
    if isinstance(part, TextPart | ThinkingPart):
        text = joined(part.content)
        return part if text is part.content else replace(part, content=text)
    if isinstance(part, ToolCallPart) and isinstance(part.args, str):
        text = joined(part.args)
        return part if text is part.args else replace(part, args=text)
    return part
