"""What a ticket's words may be: tags, subjects, headers of its mails, numbers in subjects."""

from __future__ import annotations

import pytest

from frontdesk.core.fields import Wrong
from frontdesk.resources.messaging.ticket_columns import LONGEST_TAG, MOST_TAGS, check_subject, check_tags
from frontdesk.runtime.envelope import headers_of
from frontdesk.tickets import NUMBER


@pytest.mark.parametrize(
    ("given", "kept"),
    [([], []), (["a", "b", "a"], ["a", "b"]), ([" two  words\n"], ["two words"]), (["A", "a"], ["A", "a"])],
)
def test_tags_are_kept_once_and_trimmed(given: list[str], kept: list[str]) -> None:
    assert check_tags(given) == kept


@pytest.mark.parametrize(
    ("tags", "keyword"),
    [(["a", " "], "minLength"), (["x" * (LONGEST_TAG + 1)], "maxLength"),
     ([str(n) for n in range(MOST_TAGS + 1)], "maxItems")],
)  # fmt: skip
def test_a_wrong_tag_is_named_by_its_rule(tags: list[str], keyword: str) -> None:
    with pytest.raises(Wrong) as wrong:
        check_tags(tags)
    assert wrong.value.keyword == keyword


def test_a_subject_is_one_line() -> None:
    assert check_subject(" My invoice\n Bcc: eve@example.com ") == "My invoice Bcc: eve@example.com"
    with pytest.raises(Wrong):
        check_subject(" \t\n")


@pytest.mark.parametrize("thread_id", [None, "18c2f0a", "<a@b>\nBcc: <x@y>", "<a@b> <c@d>", "<a b@c>", "a@b", "<@>"])
def test_what_is_no_message_id_becomes_no_header(thread_id: str | None) -> None:
    assert headers_of(thread_id, None) == {}
    assert headers_of(thread_id, "auto-replied") == {"Auto-Submitted": "auto-replied"}


def test_a_message_id_threads_the_mail() -> None:
    assert headers_of("<1@b.example>", None) == {
        "In-Reply-To": "<1@b.example>", "References": "<1@b.example>",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "number"),
    [("Re: x [TK-2026-001]", "TK-2026-001"), ("[TK-2026-12345] x", "TK-2026-12345"), ("TK-2026-001", None),
     ("[TK-2026-01]", None), ("[TK-26-001]", None), ("[TK-2026-\u0661\u0662\u0663]", None)],
)  # fmt: skip
def test_a_number_in_a_subject_stands_in_brackets(subject: str, number: str | None) -> None:
    found = NUMBER.search(subject)
    assert (found[1] if found else None) == number
