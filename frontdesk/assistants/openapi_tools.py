"""API tools out of an OpenAPI 3 document: its operations, and the tool that each of them makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote, urljoin

from frontdesk.assistants.api_request import METHODS
from frontdesk.assistants.api_schema import MOST_VALUES, Node, Room, as_node, parameter_from, texts
from frontdesk.core.errors import Fault, Invalid, Json

MOST_OPERATIONS = 2_000
MOST_HOPS = 20  # references that lead to references
PLACES = ("path", "query")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document. `problem` says why it cannot be a tool."""

    id: str
    method: str
    path: str
    description: str
    problem: str | None
    _item: Node
    _node: Node


class OpenApi:
    """A document that was read. Raises `Invalid` where it is none."""

    def __init__(self, document: Json, source: str | None = None, server: str | None = None) -> None:
        if not isinstance(document, dict):
            raise _wrong("must be an OpenAPI document: a JSON or YAML object")
        if "swagger" in document:
            raise _wrong("is Swagger 2.0; convert it to OpenAPI 3 first")
        if not str(document.get("openapi", "")).startswith("3."):
            raise _wrong("must say openapi: 3.0 or 3.1")
        if not isinstance(document.get("paths"), dict):
            raise _wrong("has no paths")
        self._document, self._source, self._server = document, source, server

    def resolve(self, value: Json) -> Node:
        """The node itself, or the one that it refers to within the document; what lies elsewhere says nothing."""
        node = as_node(value)
        for _ in range(MOST_HOPS):
            reference = node.get("$ref")
            if not isinstance(reference, str):
                return node
            rest = {name: inner for name, inner in node.items() if name != "$ref"}
            node = {**self._at(reference), **rest}
        return {}

    def _at(self, reference: str) -> Node:
        if not reference.startswith("#/"):
            return {}
        found: Json = self._document
        for step in reference[2:].split("/"):
            found = as_node(found).get(unquote(step).replace("~1", "/").replace("~0", "~"))
        return as_node(found)

    def operations(self) -> list[Operation]:
        """All of them, in the order of the document."""
        found = list(self._operations())
        if len(found) > MOST_OPERATIONS:
            raise _wrong(f"has more than {MOST_OPERATIONS} operations")
        return found

    def _operations(self) -> Iterator[Operation]:
        for path, value in as_node(self._document["paths"]).items():
            item = self.resolve(value)
            for method in METHODS:
                node = item.get(method.lower())
                if isinstance(node, dict):
                    said = " ".join(str(node[name]).strip() for name in ("summary", "description") if node.get(name))
                    id = str(node.get("operationId") or f"{method} {path}")
                    yield Operation(id, method, path, said[:2000] or id, self._problem(node), item, node)

    def _problem(self, node: Node) -> str | None:
        body = self.resolve(node.get("requestBody"))
        content = as_node(body.get("content"))
        if content and self._json(content) is None and body.get("required"):
            return f"its body is no JSON but {', '.join(content)[:200]}"
        return None

    def _json(self, content: Node) -> Node | None:
        for kind, value in content.items():
            name = kind.split(";")[0].strip().lower()
            if name in ("application/json", "*/*") or name.endswith("+json"):
                return self.resolve(as_node(value).get("schema"))
        return None

    def tool(self, operation: Operation) -> dict[str, Json]:
        """The body of `POST /api-tools`. Header names that its security asks for have no value yet."""
        room = Room(MOST_VALUES)
        url = list(self._url_parameters(operation, room))
        return {
            "name": operation.id[:100],
            "description": operation.description,
            "endpoint": self._base(operation).rstrip("/") + operation.path,
            "method": operation.method,
            "url_parameters": cast(Json, url),
            "body_parameters": [] if operation.method == "GET" else cast(Json, self._body(operation, room)),
            "headers": dict.fromkeys(self._secret_headers(operation)),
        }

    def _base(self, operation: Operation) -> str:
        """The server's address: the one that was chosen, else the operation's, the path's or the document's first."""
        if self._server is not None:
            return self._server
        nodes = (operation._node, operation._item, self._document)
        server = next((as_node(s[0]) for n in nodes if isinstance(s := n.get("servers"), list) and s), {})
        url = str(server.get("url", "/"))
        for name, variable in as_node(server.get("variables")).items():
            url = url.replace(f"{{{name}}}", str(as_node(variable).get("default", "")))
        url = urljoin(self._source, url) if self._source else url
        if not url.lower().startswith(("http://", "https://")):
            raise Invalid([Fault("server", "required", "is required: the document does not say where its API is")])
        return url

    def _url_parameters(self, operation: Operation, room: Room) -> Iterator[dict[str, Json]]:
        """Those of the path and of the operation, whose own win. What stands in headers is no affair of a model."""
        found: dict[tuple[str, str], Node] = {}
        for node in (operation._item, operation._node):
            given = node.get("parameters")
            for value in given if isinstance(given, list) else ():
                one = self.resolve(value)
                found[(str(one.get("name")), str(one.get("in")))] = one
        for (name, place), one in found.items():
            if place in PLACES and room.takes(1):
                schema = self.resolve(one.get("schema")) or self._json(as_node(one.get("content"))) or {}
                if one.get("description"):
                    schema = {**schema, "description": one["description"]}
                is_required = place == "path" or one.get("required") is True
                made = parameter_from(name, schema, room, is_required=is_required, resolve=self.resolve)
                yield {**made, "location": place}

    def _body(self, operation: Operation, room: Room) -> list[dict[str, Json]]:
        body = self.resolve(operation._node.get("requestBody"))
        schema = self._json(as_node(body.get("content")))
        if schema is None:
            return []
        whole = parameter_from("body", schema, room, is_required=True, resolve=self.resolve)
        if whole["type"] != "object":
            raise Invalid([Fault("body", "type", f"its body is no object but of the type {whole['type']}")])
        return cast("list[dict[str, Json]]", whole.get("properties") or [])

    def _secret_headers(self, operation: Operation) -> Iterator[str]:
        wanted = operation._node.get("security", self._document.get("security"))
        schemes = as_node(as_node(self._document.get("components")).get("securitySchemes"))
        first = wanted[0] if isinstance(wanted, list) and wanted else {}
        for name in as_node(first):
            scheme = self.resolve(schemes.get(name))
            if scheme.get("type") == "apiKey" and scheme.get("in") == "header":
                yield str(scheme.get("name"))
            elif scheme.get("type") in ("http", "oauth2", "openIdConnect"):
                yield "Authorization"


def _wrong(message: str) -> Invalid:
    return Invalid([Fault("document", "format", message)])


def chosen(operations: list[Operation], ids: Json) -> list[Operation]:
    """The operations with these ids. Raises `Invalid` naming each that is not there, or cannot be a tool."""
    known: Mapping[str, Operation] = {operation.id: operation for operation in operations}
    wrong = []
    for i, id in enumerate(texts(ids)):
        if id not in known:
            wrong.append(Fault(f"operations.{i}", "enum", "names no operation of the document"))
        elif known[id].problem is not None:
            wrong.append(Fault(f"operations.{i}", "problem", f"cannot be a tool: {known[id].problem}"))
    if wrong:
        raise Invalid(wrong)
    return [known[id] for id in dict.fromkeys(texts(ids))]
