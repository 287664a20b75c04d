"""The kinds of field a resource can declare: one table entry per kind, read by every face.

A kind knows its column, its JSON Schema, how a value of a JSON body is checked, how a value of a query is read
(in the URL form everything arrives as text), and how PostgreSQL shows it in JSON.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Numeric,
    Text,
    Time,
    cast,
    func,
    literal_column,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from .errors import Fault, Json

Plain = None | bool | int | float | str | Decimal | datetime | date | time | list[str] | dict[str, Json] | list[Json]

# A tab and line breaks are text; other control characters break terminals, logs and CSV files of those who read them.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
INTEGER = re.compile(r"[+-]?\d+(\.0+)?", re.ASCII)
INT64, INT32 = 2**63, 2**31
NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d{1,6})?|inf(inity)?|nan)", re.ASCII | re.IGNORECASE)
MOST_DECIMALS = 20
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
UTC_ZONE: ColumnElement[str] = literal_column("'UTC'")
ISO_FORMAT: ColumnElement[str] = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'""")


class Wrong(ValueError):
    """A value that its kind refuses: the JSON Schema keyword and the sentence."""

    def __init__(self, keyword: str, message: str, **params: Json) -> None:
        super().__init__(message)
        self.keyword, self.message, self.params = keyword, message, params

    def at(self, path: str) -> Fault:
        return Fault(path, self.keyword, self.message, **self.params)


def _must(kind: str) -> Wrong:
    return Wrong("type", f"must be {kind}", type=kind)


def check_text(value: object) -> str:
    if not isinstance(value, str):
        raise _must("string")
    if CONTROL.search(value):
        raise Wrong("pattern", "must not contain control characters")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Wrong("pattern", "must be valid Unicode (it has a lone surrogate)") from None
    return value


def check_integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _must("integer")
    if isinstance(value, float) and (not math.isfinite(value) or value != int(value)):
        raise _must("integer")
    if not -INT64 <= value < INT64:
        raise Wrong("maximum", "must fit in 64 bits")
    return int(value)


def check_small(value: object) -> int:
    number = check_integer(value)
    if not -INT32 <= number < INT32:
        raise Wrong("maximum", "must fit in 32 bits")
    return number


def check_key(value: object) -> int:
    """An id as a number, or in its string form (`_id`), as messages and files have both."""
    if isinstance(value, str) and re.fullmatch(r"[1-9]\d{0,17}", value, re.ASCII):
        return int(value)
    return check_integer(value)


def check_decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _must("number")
    text = str(value).strip()
    # Decimal by itself also reads 1_000 and the digits of every script.
    if not NUMBER.fullmatch(text):
        raise _must("number")
    number = Decimal(text)
    # `adjusted` is the exponent of the first digit: comparing a huge exponent would raise.
    if not number.is_finite() or number.adjusted() >= 14:
        raise Wrong("maximum", "must be a number below 100000000000000")
    if int(number.as_tuple().exponent) < -MOST_DECIMALS:
        raise Wrong("multipleOf", f"must not have more than {MOST_DECIMALS} decimals")
    return number


def check_boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise _must("boolean")
    return value


def check_moment(value: object) -> datetime:
    text = check_text(value)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Wrong("format", "must be an ISO 8601 date-time", format="date-time") from None
    try:
        utc = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        utc = EARLIEST
    # asyncpg sends the two ends of Python's calendar as -infinity and infinity, which are shown as null.
    if utc in (EARLIEST, LATEST):
        raise Wrong("format", "must lie in the years 1 to 9999", format="date-time")
    return utc


def check_date(value: object) -> date:
    try:
        return date.fromisoformat(check_text(value))
    except ValueError as error:
        if isinstance(error, Wrong):
            raise
        raise Wrong("format", "must be a date (YYYY-MM-DD)", format="date") from None


def check_time(value: object) -> time:
    try:
        return time.fromisoformat(check_text(value))
    except ValueError as error:
        if isinstance(error, Wrong):
            raise
        raise Wrong("format", "must be a time (HH:mm:ss)", format="time") from None


def check_texts(value: object) -> list[str]:
    if not isinstance(value, list):
        raise _must("array")
    return [check_text(item) for item in value]


def check_json(value: object) -> dict[str, Json] | list[Json]:
    if not isinstance(value, dict | list):
        raise _must("object")
    _check_inner(value)
    return value


def check_any(value: object) -> Plain:
    """Any JSON value: what somebody else's system answers may be a list, a number, a text."""
    _check_inner(value)
    return value  # type: ignore[return-value]


def check_object(value: object) -> dict[str, Json]:
    """An object whose members are checked one by one later, when it is known what they should be."""
    if not isinstance(value, dict):
        raise _must("object")
    return value


def _check_inner(value: object) -> None:
    """What JSONB cannot hold, at any depth: control characters, half surrogate pairs, numbers without a value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            check_text(key)
            _check_inner(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_inner(inner)
    elif isinstance(value, str):
        check_text(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise _must("number")


def _read_integer(text: str) -> int:
    if not INTEGER.fullmatch(text.strip()):
        raise _must("integer")
    whole = text.strip().split(".")[0]
    if len(whole) > 30:  # int() refuses thousands of digits by an error of its own
        raise Wrong("maximum", "must fit in 64 bits")
    return check_integer(int(whole))


def _read_boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise _must("boolean")
    return text == "true"


def _as_is(column: ColumnElement[object]) -> ColumnElement[object]:
    return column


def _iso(column: ColumnElement[object]) -> ColumnElement[object]:
    return func.to_char(func.timezone(UTC_ZONE, column), ISO_FORMAT)


def _decimal_text(column: ColumnElement[object]) -> ColumnElement[object]:
    return cast(column, Text)


AnyType = TypeEngine[Any]  # columns of all kinds in one table; SQLAlchemy types are invariant


@dataclass(frozen=True, slots=True)
class Kind:
    """What is the same for all fields of a kind."""

    column: AnyType
    schema: Mapping[str, Json]
    check: Callable[[object], Plain]  # of a JSON body
    read: Callable[[str], Plain]  # of the URL form
    show: Callable[[ColumnElement[object]], ColumnElement[object]] = _as_is
    taken: Mapping[str, Json] = field(default_factory=dict)  # the schema of a body's value, where it is a wider one
    is_text: bool = False
    is_sortable: bool = True


DECIMAL = r"^-?\d{1,14}(\.\d{1,20})?$"
# Wall time without an offset, which the format `time` of JSON Schema does not know.
LOCAL_TIME: dict[str, Json] = {"type": "string", "pattern": r"^\d\d:\d\d(:\d\d(\.\d+)?)?$"}
DATE_TIME: dict[str, Json] = {"type": "string", "format": "date-time"}
KINDS: dict[str, Kind] = {
    "text": Kind(Text(), {"type": "string"}, check_text, check_text, is_text=True),
    "integer": Kind(BigInteger(), {"type": "integer"}, check_integer, _read_integer),
    "small": Kind(Integer(), {"type": "integer"}, check_small, lambda text: check_small(_read_integer(text))),
    "key": Kind(BigInteger(), {"type": ["integer", "string", "null"]}, check_key, _read_integer),
    "number": Kind(Numeric(), {"type": "number"}, check_decimal, check_decimal),
    "decimal": Kind(
        Numeric(),
        {"type": "string", "format": "decimal", "pattern": DECIMAL},
        check_decimal,
        check_decimal,
        _decimal_text,
        taken={"type": ["number", "string"]},
    ),
    "boolean": Kind(Boolean(), {"type": "boolean"}, check_boolean, _read_boolean),
    "moment": Kind(DateTime(timezone=True), DATE_TIME, check_moment, check_moment, _iso),
    "date": Kind(Date(), {"type": "string", "format": "date"}, check_date, check_date),
    "time": Kind(Time(), LOCAL_TIME, check_time, check_time),
    "texts": Kind(
        ARRAY(Text()),
        {"type": "array", "items": {"type": "string"}},
        check_texts,
        lambda text: [text],
        is_sortable=False,
    ),
    "json": Kind(JSONB(none_as_null=True), {"type": "object"}, check_json, lambda text: {}, is_sortable=False),
    "any": Kind(JSONB(none_as_null=True), {}, check_any, lambda text: {}, is_sortable=False),
    # JSON that is written as text already (`custom_values.py`): a decimal has no exact Python form on its way to JSON.
    "custom": Kind(JSONB(), {"type": "object"}, check_object, lambda text: {}, is_sortable=False),
}

Check = Callable[[Plain], Plain]
# keep: history keeps its reference to the deleted row; clear: the reference is emptied; refuse: 409 while there are
# such rows; remove: the row is deleted with the one that it belongs to.
OnRemove = Literal["keep", "clear", "refuse", "remove"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a resource.

    write: "always" (POST and PATCH), "create" (POST only) or "never" (the server sets it; a value in a body
    is ignored, so that a record that was read can be sent back). `check` sees a value that passed its kind and
    raises `Wrong`. `show` replaces the kind's JSON expression. A field with `is_secret` is never read back.
    """

    name: str
    kind: str = "text"
    is_required: bool = False
    is_nullable: bool = True
    default: Plain = None
    max_length: int | None = None
    minimum: int | None = None
    choices: tuple[str, ...] = ()
    references: str | None = None
    is_global_reference: bool = False  # to a table that is not split by organization (users, shared catalogues)
    on_remove: OnRemove = "keep"  # what becomes of this row when the one that it refers to is deleted
    write: str = "always"
    is_searched: bool = False
    is_secret: bool = False
    is_shown: bool = True
    check: Check | None = None
    show: Callable[[ColumnElement[object]], ColumnElement[object]] | None = None
    schema: Mapping[str, Json] = field(default_factory=dict)
    description: str = ""
    example: Json = None

    @property
    def shape(self) -> Kind:
        return KINDS[self.kind]

    @property
    def is_readable(self) -> bool:
        return self.is_shown and not self.is_secret

    @property
    def limit(self) -> int | None:
        """The longest text accepted, in characters; every text has a limit so that no row grows without bound."""
        return self.max_length or (10_000 if self.shape.is_text else None)

    def accept(self, value: object) -> Plain:
        """The value of a JSON body, checked; raises `Wrong`."""
        if value is None:
            if self.is_nullable:
                return None
            raise Wrong("type", f"must be {self.shape.schema.get('type')}, not null")
        plain = self.shape.check(value)
        if isinstance(plain, str) and self.limit is not None and len(plain) > self.limit:
            raise Wrong("maxLength", f"must not have more than {self.limit} characters", limit=self.limit)
        if self.choices and plain not in self.choices:
            raise Wrong("enum", f"must be one of {', '.join(self.choices)}", allowedValues=list(self.choices))
        if self.minimum is not None and isinstance(plain, int | Decimal) and plain < self.minimum:
            raise Wrong("minimum", f"must be at least {self.minimum}", limit=self.minimum)
        return self.check(plain) if self.check else plain

    def json_schema(self, *, is_input: bool = False) -> dict[str, Json]:
        """The JSON Schema of one value, for OpenAPI and for tools."""
        schema: dict[str, Json] = {**self.shape.schema, **(self.shape.taken if is_input else {}), **self.schema}
        kinds = schema.get("type")
        if self.is_nullable and kinds is not None:
            schema["type"] = list(dict.fromkeys([*(kinds if isinstance(kinds, list) else [kinds]), "null"]))
        if self.choices and "enum" not in self.schema:
            schema["enum"] = [*self.choices, *([None] if self.is_nullable else [])]
        if self.limit is not None:
            schema["maxLength"] = self.limit
        if self.minimum is not None:
            schema["minimum"] = self.minimum
        if self.description:
            schema["description"] = self.description
        if self.example is not None:
            schema["examples"] = [self.example]
        if self.write == "never":
            schema["readOnly"] = True
        if self.is_secret:
            schema["writeOnly"] = True
        return schema
