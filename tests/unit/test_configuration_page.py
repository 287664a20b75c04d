"""The examples of sections in the how-to pages are accepted as they stand there."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import RootModel

from frontdesk.assistants.config import SECTIONS
from frontdesk.assistants.section import read

HOW_TO = Path(__file__).resolve().parents[2] / "docs/how-to"
TEXT = "\n".join(path.read_text("utf-8") for path in sorted(HOW_TO.glob("*.md")))
EXAMPLES = [found for found in re.findall(r"```json (\w+)\n(.*?)```", TEXT, re.DOTALL) if found[0] in SECTIONS]


@pytest.mark.parametrize(("name", "text"), EXAMPLES)
def test_an_example_is_accepted(name: str, text: str) -> None:
    read(SECTIONS[name], json.loads(text), name)


def test_every_section_has_an_example() -> None:
    assert {name for name, _ in EXAMPLES} == SECTIONS.keys()


@pytest.mark.parametrize("name", SECTIONS)
def test_every_member_of_a_section_is_shown(name: str) -> None:
    shape = SECTIONS[name]
    entry = get_args(shape.model_fields["root"].annotation)[0] if issubclass(shape, RootModel) else shape
    members = [info.alias or member for member, info in entry.model_fields.items()]
    assert [member for member in members if f'"{member}"' not in TEXT and f"`{member}`" not in TEXT] == []
