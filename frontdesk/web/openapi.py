"""OpenAPI 3.1, read off the declarations: what the document says is what the door checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from frontdesk import __version__
from frontdesk.core.custom_values import MEMBERS as CUSTOM_MEMBERS
from frontdesk.core.errors import Json
from frontdesk.core.fields import Field
from frontdesk.core.query import DEFAULT_LIMIT, MAX_LIMIT
from frontdesk.core.resource import Registry, Resource, Verb

from .endpoints import ENDPOINTS, SCHEMAS

Document = dict[str, Json]
METHODS: dict[Verb, str] = {"find": "get", "create": "post", "get": "get", "patch": "patch", "remove": "delete"}
TITLES: dict[Verb, str] = {
    "find": "List {0}", "create": "Create {1}", "get": "Get {1}", "patch": "Change {1}", "remove": "Delete {1}",
}  # fmt: skip
FAILURES: dict[Verb, tuple[int, ...]] = {
    "find": (400, 401, 403, 415, 429), "create": (400, 401, 403, 404, 405, 409, 413, 415, 422, 429),
    "get": (400, 401, 403, 404, 415, 429), "patch": (400, 401, 403, 404, 405, 409, 413, 415, 422, 429),
    "remove": (400, 401, 403, 404, 409, 415, 429),
}  # fmt: skip
LINKED: dict[Verb, str] = {"create": "/id", "find": "/data/0/id"}
ERROR_NAMES = {
    400: "BadRequest", 401: "NotAuthenticated", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed",
    409: "Conflict", 413: "PayloadTooLarge", 415: "UnsupportedMediaType", 422: "Unprocessable",
    429: "TooManyRequests", 500: "GeneralError", 503: "Unavailable",
}  # fmt: skip
INTRODUCTION = """\
The REST API of Frontdesk. Send an API key in the header `x-api-key`, or log in at `POST /authentication`.

Lists take `$limit` (default 10, at most 50), `$skip`, `$sort[field]=1|-1`, `$select[]=field`, equality on any field,
and the operators `$ne`, `$in`, `$nin`, `$lt`, `$lte`, `$gt`, `$gte`, `$or`, `$and`: for example
`?$sort[created_at]=-1&status=open&id[$gt]=10`. The same query can be sent as the JSON body `{"query": {…}}` of the GET.

Each record has a `version`, which is also its `ETag`; send it as `If-Match` with a PATCH or DELETE to change just what
you have read."""
FILTER_TYPES = {"boolean": "boolean", "integer": "integer"}
ERROR: Document = {
    "type": "object",
    "required": ["name", "message", "code", "className", "errors"],
    "properties": {
        "name": {"type": "string", "examples": ["BadRequest"]},
        "message": {"type": "string", "examples": ["validation failed"]},
        "code": {"type": "integer", "examples": [400]},
        "className": {"type": "string", "examples": ["bad-request"]},
        "data": {"description": "What a program needs to react: the list of faults, or the numbers of a limit."},
        "errors": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


def make_document(registry: Registry) -> Document:
    """The whole document. Resources without verbs are internal and not in it."""
    paths: Document = {}
    schemas: Document = {"Error": ERROR, **SCHEMAS}
    tags: list[Json] = []
    for resource in registry:
        if resource.verbs:
            schemas |= _schemas(resource)
            paths |= _paths(resource)
            tags.append({"name": resource.path, "description": resource.description})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Frontdesk",
            "version": __version__,
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}, {"login": []}],
        "tags": tags,
        "paths": paths | ENDPOINTS,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "login": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


def _one(noun: str) -> str:
    """The noun with its article; no name of ours begins with a `u` as in "user"."""
    return f"an {noun}" if noun.startswith(("SMS", *"aeiouAEIO")) else f"a {noun}"


def _name(resource: Resource) -> str:
    return "".join(part.capitalize() for part in resource.path.split("-"))


def _schemas(resource: Resource) -> Document:
    name = _name(resource)
    shown: Document = {f.name: f.json_schema() for f in resource.all_fields if f.is_readable}
    inputs = {f.name: f for f in resource.extra_input}
    shown |= {join: inputs[join].json_schema() if join in inputs else {"readOnly": True} for join in resource.joins}
    shown |= {f.name: f.json_schema() for f in resource.derived}
    required: list[Json] = [*sorted(shown)]
    result: Document = {name: {"type": "object", "properties": shown, "required": required}}
    # A list may leave members out ($select, joins that were not asked for); what it shows has the same form.
    listed: Document = {member: {"$ref": f"#/components/schemas/{name}/properties/{member}"} for member in shown}
    result[f"{name}Listed"] = {"type": "object", "properties": listed, "required": ["id"]}
    for verb in ("create", "patch"):
        if verb in resource.verbs:
            result[f"{name}{verb.capitalize()}"] = _input_schema(resource, verb == "create")
    return result


def _inputs(resource: Resource, is_create: bool) -> Iterable[Field]:
    allowed = ("always", "create") if is_create else ("always",)
    named: dict[str, Field] = {f.name: f for f in (*resource.fields, *resource.extra_input) if f.write in allowed}
    return named.values()


def _input_schema(resource: Resource, is_create: bool) -> Document:
    fields = list(_inputs(resource, is_create))
    properties: Document = {"organization_id": {"type": "integer", "description": "The caller's organization."}}
    properties |= {f.name: f.json_schema(is_input=True) for f in fields}
    schema: Document = {"type": "object", "properties": properties}
    required: list[Json] = [f.name for f in fields if f.is_required] if is_create else []
    if required:
        schema["required"] = required
    example: Json = {f.name: f.example for f in fields if f.example is not None}
    if example:
        schema["examples"] = [example]
    return schema


def _paths(resource: Resource) -> Document:
    result: Document = {}
    own: tuple[tuple[str, tuple[Verb, ...]], ...] = (
        (resource.url, ("find", "create")),
        (f"{resource.url}/{{id}}", ("get", "patch", "remove")),
    )
    for path, verbs in ((resource.url, ("get", "create")),) if resource.under else own:
        offered = [verb for verb in verbs if verb in resource.verbs]
        if offered:
            result[path] = {METHODS[verb]: _operation(resource, verb) for verb in offered}
    return result


def _operation(resource: Resource, verb: Verb) -> Document:
    name = _name(resource)
    operation: Document = {
        "operationId": f"{verb}{name}",
        "tags": [resource.path],
        "summary": TITLES[verb].format(resource.path, _one(resource.singular)),
        "description": f"Needs the role `{resource.rights.needed(verb).name}`.",
        "parameters": list(_parameters(resource, verb)),
        "responses": _responses(resource, verb),
    }
    if resource.is_personal:
        operation["security"] = [{"login": []}]
    if verb in ("create", "patch"):
        body: Json = {"$ref": f"#/components/schemas/{name}{verb.capitalize()}"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _responses(resource: Resource, verb: Verb) -> Document:
    name = _name(resource)
    row: Document = {"$ref": f"#/components/schemas/{name}"}
    page: Document = {
        "type": "object",
        "required": ["total", "limit", "skip", "data"],
        "properties": {
            **{number: {"type": "integer"} for number in ("total", "limit", "skip")},
            "total_is_minimum": {"type": "boolean", "description": "A search found more than `total`."},
            "data": {"type": "array", "items": {"$ref": f"#/components/schemas/{name}Listed"}},
        },
    }
    content: Document = {"application/json": {"schema": page if verb == "find" else row}}
    answer: Document = {"description": "The answer.", "content": content}
    if verb in LINKED and (links := _links(resource, name, LINKED[verb])):
        answer["links"] = links
    answers: Document = {"201" if verb == "create" else "200": answer}
    # What waits for another system may find it away.
    away = (503,) if resource.look is not None and not resource.is_stored else ()
    for status in (*FAILURES[verb], *away):
        failure: Json = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
        answers[str(status)] = {"description": ERROR_NAMES[status], "content": failure}
    return answers


def _links(resource: Resource, name: str, pointer: str) -> Document:
    """What can be done next with a record that an answer shows."""
    return {
        f"{verb}{name}": {"operationId": f"{verb}{name}", "parameters": {"id": f"$response.body#{pointer}"}}
        for verb in ("get", "patch", "remove")
        if verb in resource.verbs
    }


def _parameters(resource: Resource, verb: Verb) -> Iterator[Document]:
    if verb in ("get", "patch", "remove") or resource.under:
        yield {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
    if verb in ("patch", "remove"):
        yield {
            "name": "If-Match", "in": "header", "schema": {"type": "string", "pattern": r'^(\*|(W/)?"?\d{1,9}"?)$'},
            "description": "The version that was read; another one stored is 409.",
        }  # fmt: skip
    if verb == "find":
        yield _query("$limit", {"type": "integer", "minimum": 0, "default": DEFAULT_LIMIT}, f"At most {MAX_LIMIT}.")
        yield _query("$skip", {"type": "integer", "minimum": 0, "maximum": 2**31 - 1})
        if resource.searched:
            yield _query(
                "searchTerm", {"type": "string", "maxLength": 200}, f"Searches {', '.join(resource.searched)}."
            )
        for name, joins in resource.flags.items():
            yield _query(name, {"type": "boolean"}, f"Adds {', '.join(joins)} to each row.")
        for name in resource.needs:
            yield {**_query(name, {"type": "integer"}), "required": True}
        if resource.has_custom_fields:
            yield from map(_custom_query, CUSTOM_MEMBERS)
        for name, spec in resource.filters.items():
            if name not in resource.needs:
                yield _query(name, {"type": FILTER_TYPES.get(spec.kind, "string")}, spec.description)


def _custom_query(member: str) -> Document:
    """`custom_fields_by_key[plan]=gold`, in the OpenAPI style of nested parameters."""
    description = f"Equality with a custom value: `{member}[…]=value`."
    return _query(member, {"type": "object"}, description) | {"style": "deepObject", "explode": True}


def _query(name: str, schema: Document, description: str = "") -> Document:
    return {"name": name, "in": "query", "schema": schema, **({"description": description} if description else {})}
