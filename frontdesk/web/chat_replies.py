"""Answers of the web chat's endpoints, and the numbers that their queries may hold."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from frontdesk.core.errors import BadRequest, Json

from .responses import json_response

REFERRER = {"referrer-policy": "same-origin"}


def reply(body: dict[str, Json], status: int = 200) -> Response:
    return json_response(body, status, REFERRER)


def preflight(methods: Iterable[str]) -> Response:
    """The answer to a browser that asks whether another site's page may call."""
    headers = {
        "access-control-allow-methods": ", ".join(methods),
        "access-control-allow-headers": "content-type, x-visitor-token, last-event-id",
        "access-control-max-age": "600",
    }
    return Response(status_code=204, headers=headers)


def read_numbers(request: Request, **defaults: int | None) -> dict[str, int | None]:
    """Whole numbers of the query. Raises `BadRequest` for another parameter or value."""
    numbers = dict(defaults)
    for name, value in request.query_params.items():
        if name not in defaults:
            raise BadRequest(f"'{name[:80]}' is not a parameter here.", errors={name[:80]: "is not a parameter"})
        if not (value.isascii() and value.isdecimal() and len(value) < 10):
            raise BadRequest(f"{name} must be a whole number.", errors={name: "must be a whole number"})
        numbers[name] = int(value)
    return numbers
