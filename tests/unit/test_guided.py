"""Guided mode writes the same text for the same form, in both languages, and loses nothing of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.assistants.guided import render
from frontdesk.assistants.guided_config import EasyModeConfig
from frontdesk.assistants.guided_words import ENGLISH, SPANISH, WORDS

FORM = EasyModeConfig.model_validate(
    {
        "business_name": "Luna Dental", "business_description": "A clinic in Bogotá", "role": "receptionist",
        "tone": "empathetic", "goals": ["book visits", "answer questions!"], "rules": ["never give a diagnosis"],
        "forbidden_topics": ["prices of competitors"],
        "required_data": [{"field": "email", "ask": "May I have your e-mail?", "when": "before booking"},
                          {"field": "name"}],
        "faqs": [{"question": "When are you open?", "answer": "Mon–Fri: 9–18\nSat: 9–13"}],
        "greeting": "Hello {there}", "closing": "Bye", "examples": [{"customer": "Hi", "assistant": "Hello!"}],
    }
)  # fmt: skip


def test_english() -> None:
    text = render(FORM, "ENG")
    assert text.startswith("## Who you are\nYou work for Luna Dental. Your role: receptionist.")
    assert "- never give a diagnosis." in text
    assert "- answer questions!\n" in text
    assert "- **email** (before booking): ask “May I have your e-mail?”\n- **name**" in text
    assert "greet like this: “Hello {there}”" in text
    assert text.endswith("Customer: Hi\nYou: Hello!")


def test_spanish() -> None:
    text = render(FORM, "ESP")
    assert text.startswith("## Quién eres\nTrabajas para Luna Dental. Tu función: receptionist.")
    assert "## Temas que debes evitar\nNo hables de:\n- prices of competitors." in text
    assert "Sé paciente y comprensivo" in text


def test_an_answer_of_several_lines_keeps_them() -> None:
    assert "- **When are you open?** \n  Mon–Fri: 9–18\n  Sat: 9–13" in render(FORM, "ENG")


@pytest.mark.parametrize("language", WORDS)
def test_an_empty_form_still_makes_an_assistant(language) -> None:
    text = render(EasyModeConfig(), language)
    words = WORDS[language]
    assert words.assistant_alone in text
    assert all(title not in text for title in (words.goals, words.faqs, words.examples, words.forbidden))


def test_both_languages_say_the_same_things() -> None:
    assert ENGLISH.tones.keys() == SPANISH.tones.keys()
    assert len(ENGLISH.house_rules) == len(SPANISH.house_rules)
    for field in ("role_of_business", "assistant_of_business", "role_alone", "about", "ask", "greeting", "closing"):
        english, spanish = getattr(ENGLISH, field), getattr(SPANISH, field)
        assert english.count("{") == spanish.count("{")


lines = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=30)


@settings(max_examples=50, deadline=None)
@given(st.lists(lines, max_size=5), st.lists(lines, max_size=5), st.sampled_from(["ENG", "ESP"]))
def test_every_entry_is_in_the_text_and_the_text_is_the_same_each_time(goals, rules, language) -> None:
    form = EasyModeConfig.model_validate({"goals": goals, "rules": rules})
    text = render(form, language)
    assert text == render(EasyModeConfig.model_validate(form.model_dump()), language)
    assert all(entry in text for entry in (*goals, *rules))
