"""Variables of templates and broadcasts, and the table of what channels can carry."""

import pytest

from frontdesk.core.capabilities import CAPABILITIES
from frontdesk.core.placeholders import fill, variables
from frontdesk.resources.messaging.conversation_messages import MESSAGE_TYPES
from frontdesk.runtime.composing import MEMBERS
from frontdesk.runtime.refusals import REFUSALS, said_of


@pytest.mark.parametrize(
    ("text", "names"),
    [("", []), ("no variables", []), ("{{1}}", ["1"]), ("{{10}} {{2}}", ["2", "10"]), ("{{b}} {{a}} {{b}}", ["b", "a"]),
     ("{{ a }}", ["a"]), ("{a} {{}} {{a b}} {{{a}}}", ["a"]), ("{{ñ}}", [])],
)  # fmt: skip
def test_variables(text: str, names: list[str]) -> None:
    assert variables(text) == names


def test_values_are_not_read_again() -> None:
    assert fill("{{a}} {{b}}", {"a": "{{b}}", "b": "x"}) == "{{b}} x"


def test_a_variable_without_a_value_stays() -> None:
    assert fill("Hello {{name}}", {}) == "Hello {{name}}"


@pytest.mark.parametrize("channel", CAPABILITIES)
def test_what_a_channel_takes_can_be_composed_and_stored(channel: str) -> None:
    known = CAPABILITIES[channel]
    assert known.message_types <= set(MEMBERS)
    assert known.message_types <= set(MESSAGE_TYPES)
    assert known.longest_text > 0


def test_only_channels_with_a_window_need_templates() -> None:
    assert [name for name, known in CAPABILITIES.items() if known.window] == ["whatsapp", "instagram", "messenger"]
    assert [name for name, known in CAPABILITIES.items() if "template" in known.message_types] == ["whatsapp"]


def test_every_code_is_a_sentence_and_a_sentence_is_itself() -> None:
    assert all(text.endswith(".") for text in REFUSALS.values())
    assert said_of("The number is wrong.") == "The number is wrong."
