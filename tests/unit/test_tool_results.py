"""What a tool gives back is small, says what was cut, and can be stored."""

import json

import pytest

from frontdesk.core.storable import storable
from frontdesk.tools.results import LONGEST_RESULT, bounded, page, row


def test_a_row_shows_what_it_holds():
    assert row({"id": 1, "email": None, "phone": "", "secret": 2}, ("id", "email", "phone")) == {"id": 1, "phone": ""}


def test_a_page_shows_its_total():
    assert page({"total": 7, "limit": 1, "data": [{"id": 1, "x": None}]}, ("id", "x")) == {
        "total": 7,
        "data": [{"id": 1}],
    }


def test_a_long_text_is_cut_with_a_mark():
    assert bounded({"text": "a" * 2003}) == {"text": "a" * 2000 + "… [3 more characters]"}


def test_rows_that_do_not_fit_are_counted():
    cut = bounded({"total": 50, "data": [{"id": i, "text": "é" * 1500} for i in range(50)]})
    assert cut["left_out"] + len(cut["data"]) == 50
    assert len(json.dumps(cut, ensure_ascii=False)) < LONGEST_RESULT + 20


def test_a_record_with_many_long_texts_fits_too():
    assert len(json.dumps(bounded({f"f{i}": "a" * 2000 for i in range(30)}))) < LONGEST_RESULT


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("a\x00b", "a\ufffdb"),
        ({"\ud800": ["\udfff"]}, {"\ufffd": ["\ufffd"]}),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ("mañana 😀", "mañana 😀"),
        (10**30, 10**30),
    ],
)
def test_what_jsonb_refuses_is_replaced(value, stored):
    assert storable(value) == stored
