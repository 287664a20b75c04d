"""Regular expressions of users: told what is wrong, and never slow."""

import pytest

from frontdesk.core.patterns import MAX_LENGTH, compile_pattern

FOUND = [
    (r"\brefund\b", "I want a REFUND, now"),
    (r"devoluci[oó]n|reembolso", "quiero una Devolucion"),
    (r"\btel[eé]fono\b", "mi TELÉFONO es 300"),
    (r"\bñandú\b", "un ñandú."),
    (r"^(hi|hola)$", "Hola"),
    (r"\d{4}-\d{2}-\d{2}", "el 2026-11-22"),
    (r"\p{Cyrillic}+", "да"),
    (r"(?s)a.b", "a\nb"),
    (r"(?P<word>x)", "axb"),
]


@pytest.mark.parametrize(("expression", "text"), FOUND, ids=[each[0] for each in FOUND])
def test_an_expression_is_found_without_regard_to_case_and_accents(expression: str, text: str) -> None:
    assert compile_pattern(expression).found_in(text)


def test_an_expression_that_does_not_match_is_not_found() -> None:
    assert not compile_pattern(r"\brefund\b").found_in("refunds and refunding")
    assert not compile_pattern(r"^hi$").found_in("hi\nthere")


WRONG = {
    "(": "must be a regular expression: missing ): (",
    "[a": "must be a regular expression: missing ]: [a",
    "*a": "must be a regular expression: no argument for repetition operator: *",
    "a\\": "must be a regular expression: trailing \\",
    r"\p{Klingon}": r"must be a regular expression: invalid character class range: \p{Klingon}",
    r"(a)\1": "must be a regular expression without look-ahead, look-behind and back-references (RE2's syntax)",
    "(?=a)": "must be a regular expression without look-ahead, look-behind and back-references (RE2's syntax)",
    "(?<!a)b": "must be a regular expression without look-ahead, look-behind and back-references (RE2's syntax)",
    "a{1001}": "must be a simpler regular expression: a repetition may count to 1000, nested ones multiplied",
    "((a{99}){99}){99}": "must be a simpler regular expression: a repetition may count to 1000, nested ones multiplied",
    "(a{0,900}|b){1}" * 9: "must be a simpler regular expression: its repetitions multiply to too much work",
    "": "must not match an empty text, because then it matches every text",
    "a*|b": "must not match an empty text, because then it matches every text",
    "\u0301": "must not match an empty text, because then it matches every text",
    "\ud800": "must be valid Unicode, without half a surrogate pair",
    "a" * (MAX_LENGTH + 1): "must be a regular expression of at most 500 characters",
}


@pytest.mark.parametrize(("expression", "sentence"), WRONG.items(), ids=[str(number) for number in range(len(WRONG))])
def test_a_wrong_expression_is_refused_in_a_sentence(expression: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        compile_pattern(expression)
    assert str(caught.value) == sentence


CATASTROPHIC = ["(a+)+$", "(a|aa)+$", "(.*a){25}$", "^(a|aa?)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y"]


@pytest.mark.parametrize("expression", CATASTROPHIC)
def test_what_hangs_a_backtracking_engine_returns_at_once(expression: str) -> None:
    # With a backtracking engine each of these takes longer than the universe has existed.
    assert compile_pattern(expression).found_in("a" * 20_000 + "!") is False
