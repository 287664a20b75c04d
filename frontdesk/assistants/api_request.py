"""The exact request of an API tool: the address with its holes filled, query, headers and JSON body."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, cast, get_args
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from frontdesk import __version__
from frontdesk.assistants.api_parameters import Parameter
from frontdesk.assistants.api_values import Argument, Place, arguments_of, as_text, values_of
from frontdesk.core.errors import Fault, Invalid, Json
from frontdesk.core.vault import origin_of

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
METHODS: tuple[str, ...] = get_args(Method)
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
LONGEST_ADDRESS = 8_000  # characters; servers refuse longer ones
LARGEST_BODY = 500_000  # bytes
LITERAL = "/%:@!$&'()*+,;=~-._"  # what a path may hold as it is
AGENT = f"Frontdesk/{__version__}"
IDEMPOTENCY = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class ApiTool:
    """One row of `api_tools`, its headers opened. `headers` without a value wait for somebody to enter it."""

    name: str
    function_name: str
    description: str
    endpoint: str
    method: Method
    headers: Mapping[str, str | None] = field(default_factory=dict)
    url_parameters: Sequence[Parameter] = ()
    body_parameters: Sequence[Parameter] = ()
    timeout_seconds: int = 15
    max_response_bytes: int = 200_000
    takes_idempotency_key: bool = False
    id: int = 0

    @property
    def is_change(self) -> bool:
        """Only a GET promises to change nothing."""
        return self.method != "GET"

    @property
    def arguments(self) -> list[Argument]:
        return arguments_of(self.url_parameters, self.body_parameters)

    @property
    def missing_headers(self) -> list[str]:
        return [name for name, value in self.headers.items() if value is None]


@dataclass(frozen=True, slots=True)
class Request:
    """What goes over the wire. `secrets` are the values that no answer may show again."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None = None
    secrets: tuple[str, ...] = ()


def placeholders(endpoint: str) -> list[str]:
    """The names in the path's braces, in order."""
    return PLACEHOLDER.findall(urlsplit(endpoint).path)


def endpoint_faults(endpoint: str, parameters: Sequence[Parameter]) -> Iterator[Fault]:
    """An address that cannot be, and holes in it that no parameter fills (or the other way round)."""
    try:
        origin_of(endpoint)
        parts = urlsplit(endpoint)
    except ValueError as error:
        yield Fault("endpoint", "format", str(error))
        return
    if re.search(r"[\s\x00-\x1f\x7f\\]", endpoint):
        yield Fault("endpoint", "format", "must not contain spaces or control characters")
    if "{" in parts.netloc:
        yield Fault("endpoint", "placeholder", "must name its host; placeholders stand in the path")
    if "{" in parts.query:
        yield Fault("endpoint", "placeholder", "must have placeholders in its path only; use a query parameter instead")
    if "{" in PLACEHOLDER.sub("", parts.path) or "}" in PLACEHOLDER.sub("", parts.path):
        yield Fault("endpoint", "placeholder", "has a brace without its other half")
    holes, filled = placeholders(endpoint), {one.name for one in parameters if one.is_in_path}
    for name in dict.fromkeys(holes):
        if name not in filled:
            message = f"has the placeholder {{{name}}}, but url_parameters has none of this name in the path"
            yield Fault("endpoint", "placeholder", message)
    for i, one in enumerate(parameters):
        if one.is_in_path and one.name not in holes:
            message = f"is in the path, but the endpoint has no placeholder {{{one.name}}}"
            yield Fault(f"url_parameters.{i}.name", "placeholder", message)


def with_key(request: Request, key: str | None) -> Request:
    """The request with an idempotency key, which is the same each time that it is sent."""
    return request if key is None else replace(request, headers={**request.headers, IDEMPOTENCY: key})


def build(tool: ApiTool, given: Mapping[str, object]) -> Request:
    """The request for the model's arguments. Raises `Invalid` with the path of every wrong one."""
    arguments = tool.arguments
    values, faults = values_of(arguments, given)
    if not faults:
        faults += _path_faults(arguments, values)
    if faults:
        raise Invalid(faults)
    url = address(tool.endpoint, _of("path", values), _of("query", values))
    if len(url) > LONGEST_ADDRESS:
        raise Invalid([Fault("url", "maxLength", f"would have more than {LONGEST_ADDRESS} characters")])
    content = _body(tool, _of("body", values))
    headers = {"Accept": "application/json", "User-Agent": AGENT}
    if content is not None:
        headers["Content-Type"] = "application/json"
    own = {name: value for name, value in tool.headers.items() if value is not None}
    names = {name.lower() for name in own}
    kept = {name: value for name, value in headers.items() if name.lower() not in names}
    return Request(tool.method, url, {**kept, **own}, content, tuple(own.values()))


def _of(place: Place, values: Mapping[tuple[Place, str], Json]) -> dict[str, Json]:
    return {name: value for (where, name), value in values.items() if where == place}


def _path_faults(arguments: Sequence[Argument], values: Mapping[tuple[Place, str], Json]) -> list[Fault]:
    return [
        Fault(argument.key, "path", "must not be empty, and not . or ..")
        for argument in arguments
        # Such a value would climb out of its place, to another operation of the same API.
        if argument.place == "path" and as_text(values[("path", argument.parameter.name)]) in ("", ".", "..")
    ]


def address(endpoint: str, path: Mapping[str, Json], query: Mapping[str, Json]) -> str:
    """The endpoint with each hole filled by exactly one path segment, and the query behind it."""
    parts = urlsplit(endpoint)
    pieces = PLACEHOLDER.split(parts.path)
    filled = "".join(
        quote(as_text(path[piece]), safe="") if i % 2 else quote(piece, safe=LITERAL) for i, piece in enumerate(pieces)
    )
    added = urlencode([pair for name, value in query.items() for pair in _pairs(name, value)])
    return urlunsplit((parts.scheme, parts.netloc, filled, "&".join(filter(None, (parts.query, added))), ""))


def _pairs(name: str, value: Json) -> Iterator[tuple[str, str]]:
    """An array is its name repeated, an object is `name[key]`: the forms that most servers read."""
    if isinstance(value, list):
        for item in value:
            yield name, as_text(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield f"{name}[{key}]", as_text(inner)
    else:
        yield name, as_text(value)


def _body(tool: ApiTool, values: dict[str, Json]) -> bytes | None:
    if not tool.body_parameters:
        return None
    content = json.dumps(values, ensure_ascii=False, allow_nan=False).encode()
    if len(content) > LARGEST_BODY:
        raise Invalid([Fault("body", "maxLength", f"would have more than {LARGEST_BODY} bytes")])
    return content


def tool_of(row: Mapping[str, object], headers: Mapping[str, str | None]) -> ApiTool:
    """The tool in a row whose JSON members are parsed."""

    def parameters(name: str) -> list[Parameter]:
        return [Parameter.model_validate(one) for one in cast("list[object]", row[name] or [])]

    return ApiTool(
        name=str(row["name"]), function_name=str(row["function_name"]), description=str(row["description"]),
        endpoint=str(row["endpoint"]), method=cast(Method, row["method"]), headers=headers,
        url_parameters=parameters("url_parameters"), body_parameters=parameters("body_parameters"),
        timeout_seconds=int(str(row["timeout_seconds"])), max_response_bytes=int(str(row["max_response_bytes"])),
        takes_idempotency_key=bool(row["takes_idempotency_key"]), id=int(str(row.get("id") or 0)),
    )  # fmt: skip
