"""The one family of expected errors; each edge renders it once.

A class is a status, the Feathers name and a sentence for the person who reads it. `data` carries what a
program needs to react (the 429 numbers, the validation list), `errors` maps a field to its sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class ApiError(Exception):
    """An expected failure with an HTTP status and a sentence that says what to do next."""

    status: ClassVar[int] = 500
    name: ClassVar[str] = "GeneralError"

    def __init__(
        self,
        message: str,
        *,
        data: Json = None,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.data = data
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})

    @property
    def class_name(self) -> str:
        """The Feathers `className`: the name in kebab case."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", self.name).lower()

    def as_json(self) -> dict[str, Json]:
        """The Feathers error object; `data` and `errors` only where there is something in them."""
        body: dict[str, Json] = {
            "name": self.name,
            "message": self.message,
            "code": self.status,
            "className": self.class_name,
        }
        if self.data is not None:
            body["data"] = self.data
        body["errors"] = dict(self.errors)
        return body


class BadRequest(ApiError):
    status, name = 400, "BadRequest"


class NotAuthenticated(ApiError):
    status, name = 401, "NotAuthenticated"


class Forbidden(ApiError):
    status, name = 403, "Forbidden"


class NotFound(ApiError):
    status, name = 404, "NotFound"


class MethodNotAllowed(ApiError):
    status, name = 405, "MethodNotAllowed"


class Conflict(ApiError):
    status, name = 409, "Conflict"


class PayloadTooLarge(ApiError):
    status, name = 413, "PayloadTooLarge"


class UnsupportedMediaType(ApiError):
    status, name = 415, "UnsupportedMediaType"


class Unprocessable(ApiError):
    status, name = 422, "Unprocessable"


class TooManyRequests(ApiError):
    status, name = 429, "TooManyRequests"


class GeneralError(ApiError):
    status, name = 500, "GeneralError"


class Unavailable(ApiError):
    status, name = 503, "Unavailable"


class Invalid(BadRequest):
    """A body that breaks the schema: every fault, each with the path of its field.

    The message and the members of `data` are those of a FeathersJS validator, so that its clients can show them.
    """

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(
            "validation failed",
            data=[fault.as_json() for fault in faults],
            errors={fault.path: fault.message for fault in faults},
        )


class Fault:
    """One broken rule of a body: where (`a.b`), which rule (JSON Schema's keyword) and a sentence."""

    __slots__ = ("keyword", "message", "params", "path")

    def __init__(self, path: str, keyword: str, message: str, **params: Json) -> None:
        self.path, self.keyword, self.message, self.params = path, keyword, message, params

    def as_json(self) -> dict[str, Json]:
        return {
            "instancePath": "/" + self.path.replace(".", "/"),
            "keyword": self.keyword,
            "params": self.params,
            "message": self.message,
        }
