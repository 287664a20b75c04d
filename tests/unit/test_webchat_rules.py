"""What may be written into a web chat, and how long a refused caller waits."""

import pytest

from frontdesk.channels.webchat import new_token, read_message
from frontdesk.core.errors import BadRequest
from frontdesk.core.rates import Limit, seconds_to_wait
from frontdesk.web.chat_channels import client_network

KEY = "0123456789abcdef"


def test_text_is_trimmed_and_its_line_ends_are_unified() -> None:
    assert read_message({"idempotency_key": KEY, "text": "  a\r\nb\rc\td  "}, 100) == (KEY, "a\nb\nc\td")


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\x7fb", "a\x85b", "a\ud800b", "a￿b"])
def test_control_characters_and_lone_surrogates_are_named_and_refused(text: str) -> None:
    with pytest.raises(BadRequest, match=f"U\\+{ord(text[1]):04X}"):
        read_message({"idempotency_key": KEY, "text": text}, 100)


def test_the_limit_counts_characters_and_is_named() -> None:
    assert read_message({"idempotency_key": KEY, "text": "😀" * 5}, 5)[1] == "😀" * 5
    with pytest.raises(BadRequest, match="at most 5 characters, this has 6"):
        read_message({"idempotency_key": KEY, "text": "x" * 6}, 5)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"idempotency_key": KEY}, "text"),
        ({"idempotency_key": KEY, "text": 5}, "text"),
        ({"idempotency_key": KEY, "text": " \n "}, "text"),
        ({"text": "a"}, "idempotency_key"),
        ({"idempotency_key": "short", "text": "a"}, "idempotency_key"),
        ({"idempotency_key": KEY + "\n", "text": "a"}, "idempotency_key"),
        ({"idempotency_key": KEY, "text": "a", "from": "assistant"}, "from"),
    ],
)
def test_a_wrong_field_is_named(body: dict[str, object], field: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_message(body, 100)
    assert list(caught.value.errors) == [field]


@pytest.mark.parametrize("body", [None, [], "text", 3])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(BadRequest, match="JSON object"):
        read_message(body, 100)


def test_tokens_have_256_random_bits() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 46 for token in tokens)


@pytest.mark.parametrize(
    ("count", "before", "elapsed", "wait"),
    [
        (10, 0, 0.5, 0),
        (11, 0, 0.5, 41),
        (1, 10, 0.0, 6),
        (1, 10, 0.2, 0),
        (5, 10, 0.4, 6),
        (1, 1000, 0.0, 60),
        (1000, 0, 0.0, 120),
    ],
)
def test_the_window_slides(count: int, before: int, elapsed: float, wait: int) -> None:
    assert seconds_to_wait(count, before, 10, elapsed) == wait


def test_after_the_wait_one_more_request_is_within_the_limit() -> None:
    for count, before, elapsed in ((1, 10, 0.0), (5, 10, 0.4), (3, 40, 0.1)):
        later = elapsed + seconds_to_wait(count, before, 10, elapsed) / 60
        assert before * (1 - later) + count <= 10


def test_a_counter_does_not_keep_the_address() -> None:
    assert "203.0.113.9" not in Limit("write.address", "1.203.0.113.9", 5).key


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_customer_is_one_address(host: str, network: str) -> None:
    assert client_network(host) == network
