"""The query language: URL or body form → nested mapping → a typed query with a hashable shape.

Its rules are those of a FeathersJS server with a schema (`docs/reference/feathers.md`): an unknown field or
operator is a 400 that names it, `$limit` above the maximum is capped silently, values of the URL form are read by the
field's kind. The shape holds everything but the values, so one compiled statement serves all queries of a shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from .custom_values import MEMBERS, TYPES, Definition, find_named, wanted
from .errors import BadRequest
from .fields import Field, Plain, Wrong
from .resource import Resource
from .search import COUNTED

DEFAULT_LIMIT, MAX_LIMIT = 10, 50
MAX_PARTS, MAX_DEPTH = 200, 6
COMPARISONS = {"$lt", "$lte", "$gt", "$gte", "$ne"}
LISTS = {"$in", "$nin"}
Tree = dict[str, "Tree | str | list[object] | object"]
Shape = tuple[object, ...]
INDEX = re.compile(r"\d{1,9}", re.ASCII)
KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)$")


@dataclass(frozen=True, slots=True)
class Query:
    """One checked query. `where` names fields, operators and nesting; `values` are its parameters in order."""

    where: Shape = ()
    values: tuple[Plain, ...] = ()
    sort: tuple[tuple[str, int], ...] = ()
    select: tuple[str, ...] | None = None
    limit: int = DEFAULT_LIMIT
    skip: int = 0
    search: str | None = None
    flags: tuple[str, ...] = ()
    is_among: bool = False  # few rows are left, whose ids a search has found
    counts_to: int | None = None  # where counting all would take too long: the total is a minimum from here on


def parse_url(text: str) -> Tree:
    """The nested mapping of a query string in bracket form: `a[$in][]=1`, `$sort[name]=1`, `$or[0][a]=1`."""
    tree: Tree = {}
    if not text:
        return tree
    parts = text.split("&")
    if len(parts) > MAX_PARTS:
        raise BadRequest(f"The query has more than {MAX_PARTS} parameters.")
    for part in parts:
        if part:
            key, _, value = part.partition("=")
            _put(tree, _decode(key), _decode(value))
    result = _fold_lists(tree, 0)
    assert isinstance(result, dict)
    return result


def _decode(text: str) -> str:
    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        raise BadRequest("The query is not valid UTF-8.") from None


def _put(tree: Tree, key: str, value: str) -> None:
    match = KEY.fullmatch(key)
    if match is None:
        raise BadRequest(f"The query parameter '{key[:80]}' cannot be read.", errors={key[:80]: "cannot be read"})
    path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
    if len(path) > 2 * MAX_DEPTH:
        raise BadRequest(f"The query parameter '{match[1]}' is nested too deeply.")
    node = tree
    for i, step in enumerate(path[:-1]):
        if step == "":
            raise BadRequest(f"The query parameter '{key[:80]}': [] may only stand last.")
        inner = node.setdefault(step, [] if path[i + 1] == "" and i + 2 == len(path) else {})
        if isinstance(inner, list) and path[i + 1] == "":
            inner.append(value)
            return
        if not isinstance(inner, dict):
            raise BadRequest(f"The query parameter '{path[0]}' is given twice.", errors={path[0]: "is given twice"})
        node = inner
    if path[-1] in node:
        raise BadRequest(f"The query parameter '{path[0]}' is given twice.", errors={path[0]: "is given twice"})
    node[path[-1]] = value


def _fold_lists(node: object, depth: int) -> object:
    """`{"0": a, "1": b}` becomes `[a, b]`, as bracket form writes lists."""
    if not isinstance(node, dict):
        return node
    if depth and node and all(INDEX.fullmatch(key) for key in node):
        return [_fold_lists(node[key], depth + 1) for key in sorted(node, key=int)]
    return {key: _fold_lists(value, depth + 1) for key, value in node.items()}


class QueryReader:
    """Reads one mapping against one resource."""

    def __init__(
        self,
        resource: Resource,
        definitions: tuple[Definition, ...] = (),
        hidden: tuple[str, ...] = (),
        found: Mapping[str, list[int] | None] | None = None,
    ) -> None:
        self.resource, self.definitions, self.hidden, self.found = resource, definitions, hidden, found or {}
        self.asked: list[str] = []  # custom values; a second reading may bring the rows that have them, as `found`
        self.values: list[Plain] = []
        self.count = 0
        self.limits: list[int] = []
        self.is_among = False

    def read(self, tree: Mapping[str, object]) -> Query:
        flags = self.resource.flags
        filters = self.resource.filters
        where = self._clauses(
            {k: v for k, v in tree.items() if (k not in PAGING or k in filters) and k not in flags}, 0
        )
        search = None if "searchTerm" in filters else self._search(tree.get("searchTerm"))
        return Query(
            where=where,
            values=tuple(self.values),
            sort=self._sort(tree.get("$sort")),
            select=self._select(tree.get("$select")),
            limit=_read_limit(tree["$limit"]) if "$limit" in tree else DEFAULT_LIMIT,
            skip=_read_count("$skip", tree["$skip"]) if "$skip" in tree else 0,
            search=search,
            flags=tuple(name for name in flags if self._is_set(name, tree.get(name))),
            is_among=self.is_among,
            counts_to=None if self.is_among else min([*self.limits, *[COUNTED] * (search is not None)], default=None),
        )

    def _clauses(self, tree: Mapping[str, object], depth: int) -> Shape:
        if depth > MAX_DEPTH:
            raise BadRequest(f"The query is nested more than {MAX_DEPTH} levels deep.")
        return tuple(clause for key, value in tree.items() for clause in self._clause(key, value, depth))

    def _clause(self, key: str, value: object, depth: int) -> Iterator[Shape]:
        self.count += 1
        if self.count > MAX_PARTS:
            raise BadRequest(f"The query has more than {MAX_PARTS} conditions.")
        if key in ("$or", "$and"):
            if not isinstance(value, list) or not all(isinstance(branch, dict) for branch in value):
                raise BadRequest(f"{key} must be an array of conditions.", errors={key: "must be an array"})
            yield (key, tuple(self._clauses(branch, depth + 1) for branch in value))
        elif key.startswith("$"):
            raise BadRequest(f"Unknown operator '{key}' in the query.", errors={key: "is not an operator"})
        elif key in self.resource.filters and not (isinstance(value, dict) and key in self.resource.by_name):
            yield from self._filter(key, value)
        elif key in MEMBERS and self.resource.has_custom_fields:
            yield from self._custom(key, value)
        else:
            yield from self._conditions(self._field(key), value)

    def _filter(self, key: str, value: object) -> Iterator[Shape]:
        spec = self.resource.filters[key]
        plain = self._value(Field(key, spec.kind, is_nullable=False), value)
        if plain is None or plain is False or plain == "":
            return
        try:
            self.values.append(spec.check(plain) if spec.check else plain)
        except Wrong as wrong:
            raise _refused(key, wrong) from None
        if spec.counts_to is not None:
            self.limits.append(spec.counts_to)
        yield ("$filter", key)

    def _custom(self, member: str, value: object) -> Iterator[Shape]:
        """`custom_fields_by_key[plan]=gold`: equality only, null for no value."""
        if not isinstance(value, dict):
            raise BadRequest(
                f"'{member}' takes the name of a custom field in the query.", errors={member: "needs a name"}
            )
        for name, operand in value.items():
            self.count += 1
            path, definition = f"{member}.{name}"[:120], find_named(self.definitions, member, name)
            if definition is None or self.count > MAX_PARTS:
                raise BadRequest(f"Unknown field '{path}' in the query.", errors={path: "is not a custom field"})
            kind = TYPES[definition.type]
            plain = self._value(Field(path, "text" if kind == "texts" else kind), operand)
            yield self._has_custom(definition, plain)

    def _has_custom(self, definition: Definition, value: Plain) -> Shape:
        if value is None:
            self.values.append(str(definition.id))
            return ("$custom", "$null")
        one = wanted(definition, value)
        self.asked.append(one)
        ids = self.found.get(one)
        self.values.append(one if ids is None else ids)  # type: ignore[arg-type]
        return ("$custom", "$eq" if ids is None else "$ids")

    def _conditions(self, f: Field, value: object) -> Iterator[Shape]:
        if not isinstance(value, dict):
            yield self._compare(f, "$eq", value)
            return
        if "" in value or not all(key in COMPARISONS or key in LISTS for key in value):
            wrong = next(key for key in value if key not in COMPARISONS and key not in LISTS)
            raise BadRequest(
                f"Unknown operator '{wrong}' on '{f.name}' in the query.", errors={f.name: f"has no operator '{wrong}'"}
            )
        for operator, operand in value.items():
            if operator in LISTS:
                yield self._list(f, operator, operand)
            else:
                yield self._compare(f, operator, operand)

    def _compare(self, f: Field, operator: str, value: object) -> Shape:
        plain = self._value(f, value)
        if plain is None and operator in ("$eq", "$ne"):
            return (f.name, "$null" if operator == "$eq" else "$notnull")
        if plain is None:
            raise BadRequest(f"'{f.name}' cannot be compared with null by {operator}.")
        self.values.append(plain)
        return (f.name, operator)

    def _list(self, f: Field, operator: str, value: object) -> Shape:
        if isinstance(value, tuple):
            # Ids that a rewrite has found; a client's JSON has no tuples.
            self.is_among = True
            self.values.append(list(value))
            return (f.name, "$among")
        if not isinstance(value, list):
            raise BadRequest(
                f"{operator} of '{f.name}' must be an array.", errors={f.name: f"{operator} must be an array"}
            )
        plain = [self._value(f, item) for item in value]
        self.values.append([item for item in plain if item is not None])  # type: ignore[arg-type]
        # NULL is in no SQL list, so it is asked for apart; its presence is part of the shape.
        return (f.name, operator, None in plain)

    def _value(self, f: Field, value: object) -> Plain:
        """A value of the body form keeps its JSON type; text for a field of another kind is read (URL form)."""
        if value is None:
            return None
        if isinstance(value, list | dict):
            raise BadRequest(f"'{f.name}' takes one value in the query.", errors={f.name: "must be one value"})
        try:
            if isinstance(value, str) and not f.shape.is_text:
                return None if value in ("", "null") and f.is_nullable else f.shape.read(value)
            return f.shape.check(value)
        except Wrong as wrong:
            raise _refused(f.name, wrong) from None

    def _field(self, name: str, *, is_compared: bool = True) -> Field:
        """A field that a client sees; what is compared or sorted by has an order besides."""
        found = self.resource.by_name.get(name)
        is_known = found is not None and found.is_readable and name not in self.hidden
        if found is None or not is_known or (is_compared and not found.shape.is_sortable):
            raise BadRequest(f"Unknown field '{name[:80]}' in the query.", errors={name[:80]: "is not a field"})
        return found

    def _sort(self, value: object) -> tuple[tuple[str, int], ...]:
        if value is None:
            return ()
        if not isinstance(value, dict):
            raise BadRequest("$sort must name fields, each 1 or -1.", errors={"$sort": "must be an object"})
        order = []
        for name, direction in value.items():
            try:
                number = int(str(direction))
            except ValueError:
                raise BadRequest(f"$sort of '{name}' must be 1 or -1.", errors={"$sort": "must be 1 or -1"}) from None
            order.append((self._field(name).name, 1 if number > 0 else -1))
        return tuple(order)

    def _is_set(self, name: str, value: object) -> bool:
        return value is not None and self._value(Field(name, "boolean"), value) is True

    def _select(self, value: object) -> tuple[str, ...] | None:
        if value is None:
            return None
        if not isinstance(value, list):
            raise BadRequest("$select must be an array of field names.", errors={"$select": "must be an array"})
        for name in map(str, value):
            is_computed = name in self.resource.joins or name in (f.name for f in self.resource.derived)
            if not is_computed or name in self.hidden:
                self._field(name, is_compared=False)
        # The id always comes along, as in every Feathers adapter.
        return tuple(dict.fromkeys(("id", *map(str, value))))

    def _search(self, value: object) -> str | None:
        if value is None:
            return None
        if not self.resource.searched:
            raise BadRequest("Unknown field 'searchTerm' in the query.", errors={"searchTerm": "is not a field"})
        if not isinstance(value, str) or len(value) > 200:
            raise BadRequest("searchTerm must be text of at most 200 characters.", errors={"searchTerm": "is too long"})
        return self._value(Field("searchTerm", is_nullable=False), value.replace("\x00", "")) or None  # type: ignore[return-value]


PAGING = {"$limit", "$skip", "$sort", "$select", "searchTerm"}


def _refused(name: str, wrong: Wrong) -> BadRequest:
    return BadRequest(
        f"'{name}' {wrong.message} in the query.", data=[wrong.at(name).as_json()], errors={name: wrong.message}
    )


def _read_count(name: str, value: object) -> int:
    try:
        number = int(float(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else -1
    except (ValueError, OverflowError):
        number = -1
    if not 0 <= number < 2**31:
        raise BadRequest(f"{name} must be a number from 0.", errors={name: "must be a number from 0"})
    return number


def _read_limit(value: object) -> int:
    return min(_read_count("$limit", value), MAX_LIMIT)
