"""Errors of the hand-written endpoints, rendered like those of the generic edge: one shape for all."""

from __future__ import annotations

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from frontdesk.core.errors import (
    ApiError,
    BadRequest,
    Fault,
    GeneralError,
    Invalid,
    MethodNotAllowed,
    NotFound,
)

from .body import ClientGone
from .responses import error_response

log = structlog.get_logger(__name__)


def install(app: FastAPI) -> None:
    """Register the handlers on the application."""
    app.add_exception_handler(ApiError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _routing)
    app.add_exception_handler(ClientGone, _gone)
    app.add_exception_handler(Exception, _unexpected)


async def _expected(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error_response(error)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [Fault(".".join(map(str, e["loc"][1:])) or "body", e["type"], e["msg"]) for e in error.errors()]
    return error_response(Invalid(faults))


async def _routing(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return error_response(NotFound(f"Path {request.url.path[:200]} not found"))
    if error.status_code == 405:
        sentence = f"Method `{request.method}` is not supported at {request.url.path[:200]}."
        # The router knows which methods there are.
        return error_response(MethodNotAllowed(sentence, headers=error.headers))
    return error_response(BadRequest(str(error.detail)))


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=499)


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("request failed", path=request.url.path, method=request.method, exc_info=error)
    return error_response(GeneralError("Something went wrong on our side. It was written to the server's log."))
