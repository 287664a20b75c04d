"""What a sentence claims was done: two tables of sentences, and how well the rules read them."""

import pytest

from frontdesk.assistants.claims import claims_in
from tests.unit import claim_sentences_english, claim_sentences_forms, claim_sentences_new, claim_sentences_spanish

TABLES = {"english": claim_sentences_english, "spanish": claim_sentences_spanish}


def lines(text: str) -> list[str]:
    return [line for line in text.strip().splitlines() if line]


CLAIMS = [line for table in TABLES.values() for line in lines(table.CLAIMS)]
OTHERS = [line for table in TABLES.values() for line in lines(table.OTHERS)]
LATER = (claim_sentences_new, claim_sentences_forms)
OTHERS += [line for table in LATER for line in lines(table.OTHERS)]


@pytest.mark.parametrize("line", CLAIMS)
def test_a_claim_is_read_with_its_kind(line: str) -> None:
    kinds, _, sentence = line.partition(": ")
    assert {claim.kind for claim in claims_in(sentence)} >= set(kinds.split())


@pytest.mark.parametrize("sentence", OTHERS)
def test_what_is_no_claim_is_left_alone(sentence: str) -> None:
    assert claims_in(sentence) == ()


@pytest.mark.parametrize("sentence", [line for table in LATER for line in lines(table.CLAIMS)])
def test_a_claim_in_other_words_is_found(sentence: str) -> None:
    assert claims_in(sentence)


def test_a_text_of_any_length_is_read_at_once() -> None:
    assert claims_in("ya también ahora " * 20_000) == ()
    assert claims_in("I have " + "just " * 20_000 + "booked") == ()
