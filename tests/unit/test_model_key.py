"""A key goes only to the address it was stored for, and a mask never becomes one."""

import pytest

from frontdesk.assistants.model_key import FIELD, ModelFacts, change_key, check_connection, unchanged_key
from frontdesk.core.errors import Invalid
from frontdesk.core.vault import mask

KEY = "sk-1234567890abcdef"
OPENAI = ModelFacts("openai", None, is_installation=True)
LOCAL = ModelFacts("openai_compatible", "http://127.0.0.1:8000/v1", is_installation=False)
STORED = (mask(KEY), OPENAI.origin)


def sealed(secret, origin):
    return f"sealed for {origin}"


def change(sent, stored=None, model=OPENAI, *, is_new=False):
    return change_key(sent, stored, model, sealed, is_new=is_new)


def test_a_key_is_sealed_for_its_models_origin_and_shown_as_a_mask() -> None:
    columns = change(f" {KEY} ", model=LOCAL).columns
    assert columns == {
        FIELD: "••••••••cdef",
        "specific_key_sealed": "sealed for http://127.0.0.1:8000",
        "specific_key_origin": "http://127.0.0.1:8000",
    }


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_nothing_takes_the_key_away(nothing) -> None:
    assert set(change(nothing, STORED).columns.values()) == {None}


def test_the_mask_sent_back_keeps_the_key() -> None:
    assert change(mask(KEY), STORED).columns == {}


@pytest.mark.parametrize(
    ("stored", "model", "sentence"),
    [(None, OPENAI, "enter the key again"), (("••••••••9999", OPENAI.origin), OPENAI, "enter the key again"),
     (STORED, LOCAL, "enter it again")],
)  # fmt: skip
def test_a_mask_that_stands_for_no_key_of_this_address_is_refused(stored, model, sentence) -> None:
    with pytest.raises(Invalid) as refused:
        change(mask(KEY), stored, model)
    assert sentence in refused.value.errors[FIELD]


def test_a_mask_in_a_new_record_is_no_key() -> None:
    key = change(mask(KEY), is_new=True)
    assert key.is_missing
    assert set(key.columns.values()) == {None}


def test_beside_a_model_without_an_address_the_fields_name_decides() -> None:
    columns = change(KEY, model=ModelFacts("local", None, is_installation=True)).columns
    assert columns["specific_key_origin"] == OPENAI.origin


def test_a_key_that_is_not_sent_stays_but_is_known_to_be_elsewhere() -> None:
    assert not unchanged_key(STORED, OPENAI).is_elsewhere
    assert unchanged_key(STORED, LOCAL).is_elsewhere
    assert not unchanged_key(None, LOCAL).is_elsewhere


def test_the_installations_key_stays_with_the_installations_models() -> None:
    own = ModelFacts("openai", None, is_installation=False)
    with pytest.raises(Invalid) as refused:
        check_connection("system", own)
    assert "connection" in refused.value.errors
    for connection, model in [("system", OPENAI), ("system", LOCAL), ("organization", own), ("specific", own)]:
        check_connection(connection, model)
