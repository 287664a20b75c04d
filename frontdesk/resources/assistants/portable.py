"""One assistant with its skills and API tools as a document without ids and secrets, and the way back in.

The document is the whole truth of the assistant and its skills: what it does not hold gets its default, or goes. API
tools are the organization's, so those that it does not hold stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from frontdesk.assistants.differences import compared, differences
from frontdesk.assistants.model_key import FIELD
from frontdesk.assistants.record import DEFAULTS
from frontdesk.assistants.voice_key import FIELD as VOICE
from frontdesk.assistants.voice_key import REF
from frontdesk.core.caller import Caller, Role
from frontdesk.core.database import Connection
from frontdesk.core.door import Door
from frontdesk.core.errors import ApiError, Conflict, Fault, Invalid, Json
from frontdesk.core.resource import Resource, Verb

from .ai_assistant_skills import ai_assistant_skills
from .ai_assistants import ai_assistants
from .api_tools import api_tools
from .portable_masks import with_masks, without_masks
from .portable_names import Names, with_names_of_none

FORMAT = 1
Row = dict[str, Json]
UNNAMED = "access_permissions_automations"
# A secret, an id, what is made from other members, and ids that nothing has a name for.
ASIDE = {FIELD, "assistant_id", "parameters_schema", UNNAMED}
WITH_SECRETS = ("mcp_tools", VOICE)
_FIND = "SELECT id FROM ai_assistants WHERE organization_id = $1 AND name = $2 AND deleted_at IS NULL ORDER BY id"
# Of two that apply a file of the same new assistant at once the second finds what the first one made.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('frontdesk assistants apply'), $1)"


@dataclass
class Desk:
    """One organization in one transaction, acted on by the operator."""

    door: Door
    connection: Connection
    organization_id: int
    warnings: list[str] = field(default_factory=list)

    @property
    def names(self) -> Names:
        return Names(self.connection, self.organization_id)

    async def call(self, path: str, verb: Verb, at: str = "", **more: object) -> Row:
        """The door; a fault is told by where it stands in the document."""
        caller = Caller(self.organization_id, None, Role.owner)
        try:
            answer = await self.door.call(caller, path, verb, tx=self.connection, **more)  # type: ignore[arg-type]
        except Invalid as error:
            raise Invalid([Fault(f"{at}.{path}", "rule", said) for path, said in error.errors.items()]) from None
        except ApiError as error:
            raise Conflict(f"{at}: {error.message}") from None
        value = answer.value
        for warning in cast("list[Row]", value.get("warnings") or []):
            self.warnings.append(f"{at}.{warning['field']}: {warning['message']}")
        return value

    async def all(self, path: str, **query: object) -> list[Row]:
        rows: list[Row] = []
        while True:
            asked = {**query, "$sort": {"id": 1}, "$skip": len(rows), "$limit": 50}
            page = await self.call(path, "find", query=asked)
            rows += cast("list[Row]", page["data"])
            if len(rows) >= cast(int, page["total"]):
                return rows

    async def assistant(self, name: str, id: int | None = None) -> int | None:
        """The one of this name. Raises `Conflict` where several have it, and none of them was chosen by `id`."""
        if id is not None:
            return id
        ids = [row[0] for row in await self.connection.fetch(_FIND, self.organization_id, name)]
        if len(ids) > 1:
            raise Conflict(f"{len(ids)} assistants are called {name}: choose one of {', '.join(map(str, ids))} by --id")
        return ids[0] if ids else None


async def export(desk: Desk, assistant_id: int) -> tuple[Row, list[str]]:
    """The document, and what could not stand in it."""
    record = await desk.call("ai-assistants", "get", "assistant", id=assistant_id)
    names = desk.names
    shown: Row = {}
    for name, value in _written(ai_assistants, record).items():
        # One by one, so that a reference to something deleted takes only its own field along.
        shown |= cast("Row | None", await names.with_names({name: value}, "assistant")) or {}
    if record.get(UNNAMED):
        names.left_out.append(f"assistant.{UNNAMED}: automations have no names in this version; those here stay")
    shown |= {name: without_masks(shown[name]) for name in WITH_SECRETS if name in shown}
    if isinstance(spoken := shown.get(VOICE), dict):
        spoken.pop(REF, None)  # it stands for a key that is stored here
    uses = cast("list[Row]", record.get("api_tools") or [])
    ids = {use["api_tool_id"] for use in uses}
    tools = [row for row in await desk.all("api-tools") if row["id"] in ids]
    skills = await desk.all("ai-assistant-skills", assistant_id=assistant_id)
    document: Row = {
        "format": FORMAT,
        "assistant": shown,
        "skills": cast(Json, [_written(ai_assistant_skills, row) for row in sorted(skills, key=_name)]),
        "api_tools": cast(Json, [_without_secrets(_written(api_tools, row)) for row in sorted(tools, key=_name)]),
    }
    return document, names.left_out


def _name(row: Row) -> str:
    return str(row["name"])


def _written(resource: Resource, record: Mapping[str, Json]) -> Row:
    """What a client can write of a record, in the order of the declaration."""
    names = [f.name for f in resource.fields if f.write != "never" and f.is_readable and f.name not in ASIDE]
    return {name: record[name] for name in names if record.get(name) is not None}


def _without_secrets(tool: Row) -> Row:
    headers = cast(Row, tool.get("headers") or {})
    shown = {name: _terse(value) if name.endswith("_parameters") else value for name, value in tool.items()}
    return {**shown, **({"headers": dict.fromkeys(sorted(headers))} if headers else {})}


def _terse(parameters: Json) -> Json:
    """Without members that say nothing."""
    if isinstance(parameters, list):
        return [_terse(one) for one in parameters]
    if not isinstance(parameters, dict):
        return parameters
    return {name: _terse(value) for name, value in parameters.items() if value is not None}


def plan(live: Row, wanted: Row) -> list[Row]:
    """Field by field what applying `wanted` changes; `live` is empty where there is no such assistant yet."""
    defaults = {name: with_names_of_none(value) for name, value in DEFAULTS.items() if name not in ASIDE}
    old, new = cast(Row, live.get("assistant", {})), {**defaults, **cast(Row, wanted["assistant"])}
    found = differences(old, {name: value for name, value in new.items() if value is not None})
    changes: list[Row] = [{**entry, "field": f"assistant.{entry['field']}"} for entry in found]
    for part in ("skills", "api_tools"):
        changes += compared(part, live.get(part, []), cast(Json, wanted.get(part) or []))
    return changes


def checked(document: Json) -> Row:
    """The document, if it is one. Raises `Invalid`."""
    if not isinstance(document, dict) or not isinstance(document.get("assistant"), dict):
        raise Invalid([Fault("assistant", "required", "is required: this is no file of an assistant")])
    faults = [Fault(name, "additionalProperties", "is not known") for name in document if name not in PARTS]
    if document.get("format") != FORMAT:
        faults.append(Fault("format", "enum", f"must be {FORMAT}"))
    if not isinstance(cast(Row, document["assistant"]).get("name"), str):
        faults.append(Fault("assistant.name", "required", "is required"))
    for part in ("skills", "api_tools"):
        rows = document.get(part) or []
        if not isinstance(rows, list) or not all(isinstance(r, dict) and isinstance(r.get("name"), str) for r in rows):
            faults.append(Fault(part, "type", "must be a list of entries with a name"))
    if faults:
        raise Invalid(faults)
    return document


PARTS = ("format", "assistant", "skills", "api_tools")
OTHERS = "ai_assistant_handoff_config"


async def begin(desk: Desk, documents: Sequence[Row]) -> None:
    """Make those assistants that are not there yet, knowing nobody: so they can name each other, in any order.

    Each is to be applied afterwards. Raises `ApiError`.
    """
    names = [_name(cast(Row, document["assistant"])) for document in documents]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise Conflict(f"Two of the files are of an assistant called {twice}.")
    await desk.connection.execute(_LOCK, desk.organization_id)
    for name, document in zip(names, documents, strict=True):
        if await desk.assistant(name) is None:
            shown = cast(Row, document["assistant"])
            await apply(desk, {**document, "assistant": {k: v for k, v in shown.items() if k != OTHERS}})


async def apply(desk: Desk, document: Row, id: int | None = None) -> int:
    """Make the assistant as the document says, in the transaction of `desk`; its id. Raises `ApiError`."""
    await desk.connection.execute(_LOCK, desk.organization_id)
    for tool in cast("list[Row]", document.get("api_tools") or []):
        await _apply_tool(desk, tool)
    wanted = cast(Row, await desk.names.with_ids(document["assistant"], "assistant"))
    found = await desk.assistant(str(wanted["name"]), id)
    if found is None:
        made = await desk.call("ai-assistants", "create", "assistant", data=wanted)
        assistant_id = cast(int, made["id"])
    else:
        assistant_id = found
        names = [f.name for f in ai_assistants.fields if f.write == "always" and f.name not in ASIDE]
        live = await desk.call("ai-assistants", "get", "assistant", id=assistant_id)
        wanted |= {name: with_masks(wanted[name], live.get(name)) for name in WITH_SECRETS if name in wanted}
        whole = {name: DEFAULTS.get(name) for name in names if name not in wanted and name in DEFAULTS} | wanted
        await desk.call("ai-assistants", "patch", "assistant", id=assistant_id, data=whole)
    await _apply_skills(desk, assistant_id, cast("list[Row]", document.get("skills") or []))
    return assistant_id


async def _apply_tool(desk: Desk, tool: Row) -> None:
    at = f"api_tools.{tool['name']}"
    rows = (await desk.call("api-tools", "find", at, query={"name": tool["name"], "$limit": 1}))["data"]
    if not rows:
        await desk.call("api-tools", "create", at, data=tool)
        return
    live = cast("list[Row]", rows)[0]
    headers = with_masks(_headers(tool), live.get("headers"))
    data = {f.name: f.default for f in api_tools.fields if f.write == "always" and f.name not in ASIDE}
    await desk.call("api-tools", "patch", at, id=live["id"], data={**data, **tool, "headers": headers})


def _headers(tool: Row) -> Row:
    headers = tool.get("headers")
    return headers if isinstance(headers, dict) else {}


async def _apply_skills(desk: Desk, assistant_id: int, skills: list[Row]) -> None:
    live = {_name(row).casefold(): row for row in await desk.all("ai-assistant-skills", assistant_id=assistant_id)}
    for name in live.keys() - {_name(row).casefold() for row in skills}:
        await desk.call("ai-assistant-skills", "remove", "skills", id=live[name]["id"])
    for row in skills:
        at, known = f"skills.{row['name']}", live.get(_name(row).casefold())
        if known is None:
            await desk.call("ai-assistant-skills", "create", at, data={**row, "assistant_id": assistant_id})
        else:
            await desk.call("ai-assistant-skills", "patch", at, id=known["id"], data=row)
