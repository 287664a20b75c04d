"""The request of an API tool: what the model gives arrives as it was given, in its place and nowhere else."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as some

from frontdesk.assistants.api_parameters import Parameter, Parameters, parameter_faults, typed
from frontdesk.assistants.api_request import ApiTool, address, build, endpoint_faults, with_key
from frontdesk.assistants.api_values import arguments_of, fixed_faults, schema_of
from frontdesk.core.errors import Invalid, Json

TEXT = some.text(max_size=40).filter(lambda text: not any("\ud800" <= c <= "\udfff" or c == "\x00" for c in text))
SEGMENT = TEXT.filter(lambda text: text not in ("", ".", ".."))
NUMBER = some.integers(-(10**12), 10**12)
SCALAR = TEXT | NUMBER | some.booleans()


def parameter(name: str, **members: object) -> Parameter:
    return Parameter.model_validate({"name": name, **members})


def tool(*url: Parameter, body: tuple[Parameter, ...] = (), **members: object) -> ApiTool:
    given = {"endpoint": "https://shop.example.com/orders", "method": "POST" if body else "GET", **members}
    return ApiTool("Tool", "api_tool", "…", url_parameters=url, body_parameters=body, **given)  # type: ignore[arg-type]


def faults_of(one: ApiTool, arguments: dict[str, object]) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        build(one, arguments)
    return refused.value.errors


@given(first=SEGMENT, second=SEGMENT)
def test_a_path_value_is_exactly_one_segment(first: str, second: str) -> None:
    url = address("https://shop.example.com/a/{x}/b/{y}.json", {"x": first, "y": second}, {})
    sent = httpx2.URL(url).raw_path.decode()
    pieces = sent.split("/")
    assert [pieces[1], pieces[3]] == ["a", "b"]
    assert unquote(pieces[2]) == first
    assert unquote(pieces[4]) == f"{second}.json"
    assert len(pieces) == 5


@given(values=some.dictionaries(some.sampled_from(["q", "a&b", "ä=", "x[]"]), TEXT | NUMBER, max_size=4))
def test_a_query_arrives_as_it_was_given(values: dict[str, Json]) -> None:
    url = address("https://shop.example.com/search?fixed=1", {}, values)
    pairs = parse_qsl(httpx2.URL(url).query.decode(), keep_blank_values=True)
    assert pairs == [("fixed", "1"), *((name, str(value)) for name, value in values.items())]
    assert urlsplit(url).fragment == ""


@given(items=some.lists(TEXT, max_size=5), inner=some.dictionaries(some.sampled_from(["from", "to"]), TEXT))
def test_a_list_is_repeated_and_an_object_has_brackets(items: list[str], inner: dict[str, str]) -> None:
    url = address("https://x.example", {}, {"tag": [*items], "range": {**inner}})
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    assert pairs == [*(("tag", item) for item in items), *((f"range[{key}]", value) for key, value in inner.items())]


TREE = some.recursive(
    SCALAR,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.sampled_from("abc"), inner),
    max_leaves=8,
)


def shape(value: Json) -> dict[str, object]:
    """The declaration that fits a value."""
    if isinstance(value, dict):
        return {"type": "object", "properties": [{"name": name, **shape(inner)} for name, inner in value.items()]}
    if isinstance(value, list):
        kinds = {json.dumps(shape(item), sort_keys=True) for item in value}
        return {"type": "array", "items": shape(value[0]) if len(kinds) == 1 else {"type": "object"}}
    return {"type": "boolean" if isinstance(value, bool) else "integer" if isinstance(value, int) else "string"}


def is_even(value: Json) -> bool:
    """Whether all items of each list have one form, as an array's declaration says."""
    if isinstance(value, list):
        return len({json.dumps(shape(item), sort_keys=True) for item in value}) <= 1 and all(map(is_even, value))
    return all(map(is_even, value.values())) if isinstance(value, dict) else True


@given(value=TREE.filter(is_even))
def test_a_nested_body_arrives_as_it_was_given(value: Json) -> None:
    one = tool(body=(parameter("value", required=True, **shape(value)),))
    request = build(one, {"value": value})
    assert request.content is not None
    assert json.loads(request.content) == {"value": value}


NAMES = some.sampled_from(["a", "o", "b", "x", ""])
GIVEN = some.dictionaries(
    NAMES, SCALAR | some.none() | some.lists(SCALAR, max_size=3) | some.dictionaries(NAMES, SCALAR)
)


@given(given=GIVEN)
def test_whatever_a_model_writes_gives_a_request_or_faults(given: dict[str, object]) -> None:
    inner = {"type": "object", "properties": [{"name": "b", "type": "integer", "required": True}]}
    one = tool(parameter("a", type="number"), body=(parameter("o", **inner),), method="POST")
    try:
        request = build(one, given)
    except Invalid:
        return
    assert set(given) <= {"a", "o"}
    json.loads(request.content or b"{}")


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_value_cannot_climb_out_of_its_place(value: str) -> None:
    one = tool(parameter("id", location="path"), endpoint="https://shop.example.com/orders/{id}")
    assert faults_of(one, {"id": value}) == {"id": "must not be empty, and not . or .."}


def test_a_fixed_value_is_sent_and_cannot_be_given() -> None:
    fixed = {"value_source": "fixed"}
    one = tool(
        parameter("shop", **fixed, fixed_value=7),
        body=(parameter("meta", type="object", properties=[{"name": "by", **fixed, "fixed_value": "frontdesk"}]),),
    )
    assert schema_of(one.arguments) == {"type": "object", "properties": {}, "additionalProperties": False}
    request = build(one, {})
    assert request.url.endswith("?shop=7")
    assert json.loads(request.content or b"") == {"meta": {"by": "frontdesk"}}
    assert set(faults_of(one, {"shop": 8, "meta": {"by": "me"}})) == {"shop", "meta"}


def test_an_object_that_was_left_out_is_left_out_unless_it_holds_something_fixed() -> None:
    plain = parameter("a", type="object", properties=[{"name": "x"}])
    fixed = parameter("b", type="object", properties=[
        {"name": "x"}, {"name": "y", "value_source": "fixed", "fixed_value": 1}])  # fmt: skip
    needs = parameter("c", type="object", properties=[
        {"name": "x", "required": True}, {"name": "y", "value_source": "fixed", "fixed_value": 1}])  # fmt: skip
    assert json.loads(build(tool(body=(plain, fixed, needs)), {}).content or b"") == {"b": {"y": 1}}


WRONG = [
    ({"type": "integer"}, 1.5, "must be a whole number"), ({"type": "integer"}, True, "must be a whole number"),
    ({"type": "integer"}, "7", "must be a whole number"), ({"type": "number"}, float("inf"), "must be a number"),
    ({"type": "string"}, 7, "must be a text"), ({"type": "string"}, "a\x00", "must not contain NUL"),
    ({"type": "string"}, "\ud800", "must be valid Unicode, without half a surrogate pair"),
    ({"type": "string"}, "x" * 20_001, "must have at most 20000 characters"),
    ({"type": "boolean"}, "true", "must be true or false"), ({"type": "array"}, "x", "must be a list"),
    ({"type": "array"}, ["x"] * 501, "must have at most 500 items"), ({"type": "object"}, [], "must be an object"),
    ({"enum": ["a", "b"]}, "c", "must be one of a, b"),
    ({"type": "integer", "enum": ["1", "2"]}, 3, "must be one of 1, 2"),
    ({"type": "object"}, {"a": float("nan")}, "must have finite numbers only"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "value", "sentence"), WRONG, ids=[f"{i}" for i in range(len(WRONG))])
def test_a_wrong_argument_is_told_in_a_sentence(form: dict[str, object], value: object, sentence: str) -> None:
    assert faults_of(tool(body=(parameter("x", **form),)), {"x": value}) == {"x": sentence}


def test_a_whole_number_may_be_written_with_a_point() -> None:
    assert build(tool(parameter("n", type="integer")), {"n": 5.0}).url.endswith("?n=5")


def test_null_is_left_out() -> None:
    assert build(tool(parameter("n")), {"n": None}).url == "https://shop.example.com/orders"
    assert faults_of(tool(parameter("n", required=True)), {"n": None}) == {"n": "is required"}


def test_names_become_arguments_that_every_provider_takes() -> None:
    url = [parameter("filter[state]"), parameter("id", location="path"), parameter("id"), parameter("日本")]
    keys = [argument.key for argument in arguments_of(url, [parameter("id"), parameter("filter state")])]
    assert keys == ["filter_state", "id", "id_2", "value", "body_id", "body_filter_state"]


def test_its_own_headers_win_and_a_key_is_added() -> None:
    one = tool(body=(parameter("x"),), headers={"content-type": "application/vnd.shop+json", "X-Key": "s"})
    request = with_key(build(one, {"x": "y"}), "k")
    assert {name.lower() for name in request.headers} == {
        "accept", "user-agent", "content-type", "x-key", "idempotency-key",
    }  # fmt: skip
    assert request.headers["content-type"] == "application/vnd.shop+json"


def test_an_address_without_end_is_refused() -> None:
    assert "url" in faults_of(tool(parameter("q")), {"q": "ä" * 5_000})


@pytest.mark.parametrize(("text", "kind", "value"), [
    ("7", "integer", 7), ("7", "number", 7), ("7.5", "number", 7.5), ("7.0", "number", 7.0), ("true", "boolean", True),
])  # fmt: skip
def test_an_enums_text_is_a_value_of_its_type(text: str, kind: str, value: Json) -> None:
    assert typed(text, kind) == value  # type: ignore[arg-type]


@pytest.mark.parametrize("endpoint", [
    "https://shop.example.com/a/{x}", "http://shop.example.com:8080/{x}/b/{x}", "https://shop.example.com/é/{x}?v=1",
    "https://xn--bcher-kva.example/{x}", "https://[2001:db8::1]/{x}",
])  # fmt: skip
def test_an_endpoint_that_can_be_called(endpoint: str) -> None:
    assert list(endpoint_faults(endpoint, [parameter("x", location="path")])) == []


@pytest.mark.parametrize("endpoint", [
    "https://shop.example.com/{x}\\..", "https://shop.example.com/{x} y", "https://{x}/", "//shop.example.com/{x}",
    "https://shop.example.com/{x}{", "https:///{x}", "javascript:alert({x})", "https://a:b@shop.example.com/{x}",
])  # fmt: skip
def test_an_endpoint_that_cannot_be_called(endpoint: str) -> None:
    assert "endpoint" in [fault.path for fault in endpoint_faults(endpoint, [parameter("x", location="path")])]


def test_fixed_values_within_objects_are_looked_at() -> None:
    inner = {"name": "y", "type": "integer", "value_source": "fixed", "fixed_value": "x"}
    outer = parameter("o", type="object", properties=[inner])
    assert [fault.path for fault in fixed_faults([outer], "body_parameters")] == [
        "body_parameters.0.properties.0.fixed_value"
    ]


def test_too_many_parameters_are_refused_nested_ones_counted() -> None:
    inner = [{"name": f"n{i}"} for i in range(101)]
    many = Parameters([parameter("o", type="object", properties=inner)])
    assert "100 parameters" in next(parameter_faults(many, "body_parameters", is_url=False)).message
