"""Switching between guided and advanced mode keeps both texts."""

import pytest

from frontdesk.assistants.config import MAX_INSTRUCTIONS
from frontdesk.assistants.guided import render
from frontdesk.assistants.guided_config import EasyModeConfig
from frontdesk.assistants.modes import change_mode, mode_of
from frontdesk.core.errors import Invalid

FORM = {"business_name": "Luna Dental", "goals": ["book visits"]}
OTHER = {"business_name": "Sol Dental"}


def rendered(form, language="ENG"):
    return render(EasyModeConfig.model_validate(form), language)


def shown(mode):
    return mode.columns["instructions"], mode.columns["easy_mode_config"]


def test_a_new_guided_assistant_gets_its_text() -> None:
    mode = change_mode({"is_easy_mode": True, "easy_mode_config": FORM}, None)
    assert shown(mode) == (rendered(FORM), FORM)


def test_a_new_advanced_assistant_has_the_text_that_was_sent() -> None:
    assert shown(change_mode({"instructions": "Be kind."}, None)) == ("Be kind.", None)


def test_guided_without_a_form_begins_with_an_empty_one() -> None:
    text, form = shown(change_mode({"is_easy_mode": True}, None))
    assert text == rendered({})
    assert form["tone"] == "friendly"


def test_a_client_that_sends_both_keeps_its_own_text() -> None:
    mode = change_mode({"is_easy_mode": True, "easy_mode_config": FORM, "instructions": "Mine."}, None)
    assert shown(mode) == ("Mine.", FORM)


def test_the_form_and_the_language_render_anew() -> None:
    mode = change_mode({"is_easy_mode": True, "easy_mode_config": FORM}, None)
    assert shown(change_mode({"easy_mode_config": OTHER}, mode)) == (rendered(OTHER), OTHER)
    assert shown(change_mode({"instructions_language": "ESP"}, mode)) == (rendered(FORM, "ESP"), FORM)


def test_the_way_to_advanced_and_back_brings_both_texts() -> None:
    mode = change_mode({"instructions": "Advanced."}, None)
    mode = change_mode({"is_easy_mode": True, "easy_mode_config": FORM, "instructions": "Mine."}, mode)
    mode = change_mode({"is_easy_mode": False}, mode)
    assert shown(mode) == ("Advanced.", None)
    assert shown(change_mode({"is_easy_mode": True}, mode)) == ("Mine.", FORM)


def test_the_first_step_to_advanced_begins_with_the_guided_text() -> None:
    mode = change_mode({"is_easy_mode": True, "easy_mode_config": FORM}, None)
    assert shown(change_mode({"is_easy_mode": False}, mode)) == (rendered(FORM), None)


def test_a_record_sent_back_in_advanced_mode_keeps_the_form() -> None:
    mode = change_mode({"is_easy_mode": True, "easy_mode_config": FORM}, None)
    mode = change_mode({"is_easy_mode": False, "easy_mode_config": None}, mode)
    mode = change_mode({"is_easy_mode": True, "easy_mode_config": None}, mode)
    assert shown(mode) == (rendered(FORM), FORM)


def test_null_in_guided_mode_is_the_empty_form() -> None:
    mode = change_mode({"is_easy_mode": True, "easy_mode_config": FORM}, None)
    assert shown(change_mode({"easy_mode_config": None}, mode))[0] == rendered({})


def test_the_language_changed_in_advanced_mode_counts_on_the_way_back() -> None:
    mode = change_mode({"is_easy_mode": True, "easy_mode_config": FORM}, None)
    mode = change_mode({"is_easy_mode": False}, mode)
    mode = change_mode({"instructions_language": "ESP"}, mode)
    assert shown(change_mode({"is_easy_mode": True}, mode)) == (rendered(FORM, "ESP"), FORM)


def test_the_same_mode_sent_again_keeps_a_text_of_ones_own() -> None:
    mode = change_mode({"is_easy_mode": True, "easy_mode_config": FORM, "instructions": "Mine."}, None)
    assert shown(change_mode({"is_easy_mode": True}, mode)) == ("Mine.", FORM)


@pytest.mark.parametrize("is_guided", [True, False])
def test_a_mode_survives_its_columns(is_guided) -> None:
    mode = change_mode({"is_easy_mode": True, "easy_mode_config": FORM}, None)
    mode = change_mode({"is_easy_mode": is_guided}, mode)
    assert mode_of(mode.columns) == mode


def test_a_form_that_renders_too_long_is_refused() -> None:
    faqs = [{"question": "q", "answer": "a" * 4000}] * 30
    with pytest.raises(Invalid) as refused:
        change_mode({"is_easy_mode": True, "easy_mode_config": {"faqs": faqs}}, None)
    assert str(MAX_INSTRUCTIONS) in refused.value.errors["easy_mode_config"]
