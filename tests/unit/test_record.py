"""How a body becomes a record."""

import pytest

from frontdesk.assistants.config import config_of
from frontdesk.assistants.record import DEFAULTS, changed_fields, changes, difference, settled
from frontdesk.core.errors import Invalid

BEFORE = {**DEFAULTS, "name": "Eva", "assistant_type": "conversation", "ai_model_id": 1, "easy_mode_config": None}


@pytest.mark.parametrize("name", DEFAULTS)
def test_null_is_the_default(name) -> None:
    assert settled({name: None}, BEFORE) == {name: DEFAULTS[name]}


def test_the_defaults_make_a_configuration() -> None:
    row = {**BEFORE, "id": 3, "organization_id": 1, "version": 2, "deleted_at": None}
    config = config_of(row)
    assert (config.id, config.version, config.access("contact"), config.access("")) == (3, 2, "none", "read_write")
    assert config_of({**row, "response_config": '{"mode": "multi"}'}).response.mode == "multi"


@pytest.mark.parametrize(
    ("sent", "path"),
    [({"timezone": "Bogota"}, "timezone"), ({"name": "  "}, "name"), ({"assistant_type": "voice"}, "assistant_type"),
     ({"response_config": {"mode": "loud"}}, "response_config.mode"), ({"internal_tools": []}, "internal_tools")],
)  # fmt: skip
def test_a_wrong_field_is_named(sent, path) -> None:
    with pytest.raises(Invalid) as refused:
        settled(sent, BEFORE)
    assert list(refused.value.errors) == [path]


def test_the_same_type_is_accepted() -> None:
    assert settled({"assistant_type": "conversation"}, BEFORE) == {"assistant_type": "conversation"}


def test_only_what_differs_is_a_change() -> None:
    sent = {"name": "Eva", "timezone": "Europe/Madrid", "internal_tools": {"tools": {}}}
    assert changes(sent, BEFORE) == {"timezone": "Europe/Madrid"}


def test_a_change_names_published_fields_only() -> None:
    differing = {"kept_easy_mode_config": {}, "kept_instructions": "x", "specific_key_sealed": "v1…", "name": "Ana"}
    assert changed_fields(differing) == ["easy_mode_config", "name"]


def test_a_difference_shows_both_values() -> None:
    then = {"name": "Eva", "timezone": "UTC", "version": 1, "kept_instructions": "a"}
    now = {"name": "Ana", "timezone": "UTC", "version": 2, "kept_instructions": "b"}
    assert difference(then, now) == {"name": {"old": "Eva", "new": "Ana"}}
