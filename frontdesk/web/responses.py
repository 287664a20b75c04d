"""How every edge answers in JSON: one content type, one set of headers, one rendering of an error."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic_core import to_json
from starlette.responses import Response

from frontdesk.core.errors import ApiError, Json

JSON = "application/json; charset=utf-8"
SAFE_HEADERS: Mapping[str, str] = {"x-content-type-options": "nosniff", "cache-control": "no-store"}


def json_response(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A hand-written endpoint's answer; `headers` come beside the safe ones."""
    return Response(to_json(body), status, {**SAFE_HEADERS, **(headers or {})}, JSON)


def error_response(error: ApiError) -> Response:
    """The Feathers error object as a response."""
    return Response(render_error(error), error.status, {**SAFE_HEADERS, **error.headers}, JSON)


def render_error(error: ApiError) -> bytes:
    """The Feathers error object; text that is not valid Unicode is shown escaped, never sent broken."""
    body = error.as_json()
    try:
        return to_json(body)
    except ValueError:
        return json.dumps(body).encode("ascii")
