"""Halves of letters are joined, wherever a server cut them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelResponse, TextPart, ThinkingPart, ToolCallPart

from frontdesk.runtime.mended import mended, parted


def halves(text):
    """The text as a program in UTF-16 counts it."""
    raw = text.encode("utf-16-le", "surrogatepass")
    return [raw[i : i + 2].decode("utf-16-le", "surrogatepass") for i in range(0, len(raw), 2)]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=20), st.integers(1, 5))
def test_any_cut_gives_the_text(text, size) -> None:
    units, told, half = halves(text), "", ""
    for i in range(0, len(units), size):
        whole, half = parted(half + "".join(units[i : i + size]))
        told += whole
        told.encode()
    assert told + half == text


def test_a_response_can_be_stored() -> None:
    cut = "".join(halves("😀"))
    parts = [TextPart(cut), ThinkingPart(cut), ToolCallPart("x", f'{{"a": "{cut}"}}'), TextPart("a\ud83d")]
    response = mended(ModelResponse(parts))
    assert [part.content for part in response.parts if not isinstance(part, ToolCallPart)] == ["😀", "😀", "a\ufffd"]
    assert response.tool_calls[0].args == '{"a": "😀"}'
    ModelMessagesTypeAdapter.dump_json([response])


def test_what_is_whole_stays_the_very_same() -> None:
    response = ModelResponse([TextPart("Good morning 😀"), ToolCallPart("x", {"a": 1})])
    assert mended(response) is response
