"""What a model reads of each tool. A change here changes how assistants behave.

`PYTHONPATH=. python tests/unit/test_tool_schemas.py` writes the snapshot anew; its difference is part of the review.
"""

import json
from pathlib import Path

import pytest

from frontdesk.tools.table import TOOLS

SNAPSHOT = Path(__file__).with_name("tool_schemas.json")
# The worst of the vocabularies tried; o200k takes 3.9 of these schemas, and 5,689 tokens for all 33.
CHARACTERS_PER_TOKEN = 3
MOST_TOKENS = 7_500  # of all tools together, which each step of each turn pays for; the product's promise is 12,000


def seen(name):
    definition = TOOLS[name].definition
    return {"description": definition.description, "parameters": definition.parameters_json_schema}


def as_sent(name):
    return json.dumps({"name": name, **seen(name)})


def rewrite():
    SNAPSHOT.write_text(json.dumps({name: seen(name) for name in sorted(TOOLS)}, indent=1, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_a_schema_is_what_was_reviewed(name):
    assert seen(name) == json.loads(SNAPSHOT.read_text())[name]


def test_the_snapshot_has_no_other_tools():
    assert set(json.loads(SNAPSHOT.read_text())) == set(TOOLS)


def test_all_tools_together_stay_cheap():
    assert sum(len(as_sent(name)) for name in TOOLS) / CHARACTERS_PER_TOKEN <= MOST_TOKENS


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_every_parameter_is_described_and_none_is_internal(name):
    schema = seen(name)["parameters"]
    assert schema["additionalProperties"] is False
    for parameter, shape in schema["properties"].items():
        assert shape["description"].endswith((".", '".'))
        assert not {"organization_id", "version", "deleted_at"} & {parameter}
        assert "null" not in json.dumps(shape)


if __name__ == "__main__":
    rewrite()
