"""Every rule is told in both languages, and every sentence is one."""

import pytest

from frontdesk.assistants.config import LANGUAGES
from frontdesk.assistants.permission_words import REASONS, sentence_of


def test_both_languages_know_every_rule() -> None:
    assert REASONS["ESP"].keys() == REASONS["ENG"].keys()
    assert REASONS.keys() == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rule", REASONS["ENG"])
def test_a_sentence_has_no_gap(language: str, rule: str) -> None:
    said = sentence_of(language, "find_contact", rule, effect="reads", reach="own", entity="contact")
    assert said.startswith("find_contact ")
    assert said.endswith(".")
    assert not {"{", "}"} & set(said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_effect_and_reach_has_its_own_words(language: str) -> None:
    pairs = [(effect, reach) for effect in ("reads", "changes", "sends", "api", "mcp")
             for reach in ("own", "organization", "asker", "none")]  # fmt: skip
    said = {sentence_of(language, "x", "allowed", effect=effect, reach=reach, server="Shop") for effect, reach in pairs}
    assert len(said) == len(pairs)
