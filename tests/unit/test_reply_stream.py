"""The reply is read out of growing JSON: in whatever pieces it comes, the same text, and nothing else."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.core.storable import storable
from frontdesk.runtime.reply_stream import ReplyStream

texts = st.text(st.characters(codec=None), max_size=30)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
names = st.sampled_from(["intent", "reply ", "Reply", '"reply": "', "a\\"]) | texts.filter(lambda text: text != "reply")
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.just("reply"), inner, max_size=3)
)


def split(text, cuts):
    marks = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in pairwise(marks)]


def read(pieces):
    stream = ReplyStream()
    return "".join(stream.feed(piece) for piece in pieces)


@settings(max_examples=300, deadline=None)
@given(texts, st.dictionaries(names, values, max_size=4), st.integers(0, 4), st.booleans(),
       st.sampled_from([None, 2]), st.lists(st.integers(0, 2000), max_size=12))  # fmt: skip
def test_any_split_of_any_object_gives_its_reply(reply, others, place, is_ascii, indent, cuts) -> None:
    members = list(others.items())
    members.insert(place, ("reply", reply))
    text = json.dumps(dict(members), ensure_ascii=is_ascii, indent=indent)
    expected = storable(json.loads(text)["reply"])
    assert read(split(text, cuts)) == expected
    assert read(list(text)) == expected


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(names, values, max_size=4), st.lists(st.integers(0, 2000), max_size=12))
def test_without_a_reply_nothing_comes_out(others, cuts) -> None:
    assert read(split(json.dumps(others), cuts)) == ""


@settings(max_examples=100, deadline=None)
@given(texts, st.integers(0, 200))
def test_what_is_cut_off_gives_a_beginning_of_the_reply(reply, end) -> None:
    text = json.dumps({"intent": "book", "reply": reply})
    assert storable(reply).startswith(read([text[:end]]))


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ('```json\n{"reply": "Hi"}\n```', "Hi"),
        ('{"a": {"reply": "no"}, "reply": "yes"}', "yes"),
        ('{"a": ["reply", "no"], "b": "reply", "reply": "yes"}', "yes"),
        ('{"reply": {"reply": "no"}}', ""),
        ('{"reply": ["no"]}', ""),
        ('{"re\\u0070ly": "escaped name"}', "escaped name"),
        ('{"reply": "\\ud83d\\ude00 \\ud83d! \\ude00 \\u0000 \\uzzzz \\q"}', "😀 �! � � � q"),
        ('["reply", "no"]', ""),
    ],
)
def test_odd_forms(text, reply) -> None:
    assert read(list(text)) == read([text]) == reply
