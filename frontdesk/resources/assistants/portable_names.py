"""Ids and names: a file that goes from one installation to another names what it refers to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from frontdesk.core.database import Connection
from frontdesk.core.errors import Fault, Invalid, Json

_LIVE = "SELECT id, name FROM {} WHERE organization_id = $1 AND deleted_at IS NULL ORDER BY id"
_USERS = """
    SELECT u.id, u.email FROM users u JOIN members m ON m.user_id = u.id
    WHERE m.organization_id = $1 AND m.deleted_at IS NULL ORDER BY u.id
"""
_MODELS = """
    SELECT id, name FROM ai_models
    WHERE (organization_id = $1 OR organization_id IS NULL) AND deleted_at IS NULL ORDER BY id
"""
# A template of one name is there in several languages.
_TEMPLATES = """
    SELECT id, name || ' (' || language || ')' FROM whatsapp_templates
    WHERE organization_id = $1 AND deleted_at IS NULL ORDER BY id
"""
# Member in the record: member in the file, and the statement that lists what it can name.
NAMED: Mapping[str, tuple[str, str]] = {
    "ai_model_id": ("ai_model_name", _MODELS),
    "fallback_ai_model_ids": ("fallback_ai_model_names", _MODELS),
    "api_tool_id": ("api_tool_name", _LIVE.format("api_tools")),
    "assistant_id": ("assistant_name", _LIVE.format("ai_assistants")),
    "team_id": ("team_name", _LIVE.format("teams")),
    "template_id": ("template_name", _TEMPLATES),
    "user_ids": ("user_emails", _USERS),
    "acting_user_id": ("acting_user_email", _USERS),
}
SHORTER = ("fallback_ai_model_ids",)  # lists that work without those of their entries that are gone
_BY_NAME = {name: (member, sql) for member, (name, sql) in NAMED.items()}


def with_names_of_none(value: Json) -> Json:
    """A default as a file has it: its members by their names there; a default refers to nothing."""
    if isinstance(value, list):
        return [with_names_of_none(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        NAMED[name][0] if name in NAMED and not inner else name: with_names_of_none(inner)
        for name, inner in value.items()
    }


@dataclass
class Names:
    """What can be named in one organization, each kind read once."""

    connection: Connection
    organization_id: int
    left_out: list[str] = field(default_factory=list)
    _known: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    async def _of(self, sql: str) -> list[tuple[int, str]]:
        if sql not in self._known:
            rows = await self.connection.fetch(sql, self.organization_id)
            self._known[sql] = [(row[0], row[1]) for row in rows]
        return self._known[sql]

    async def with_names(self, value: Json, at: str) -> Json:
        """The value with names for ids. What refers to something deleted never works, and is left out."""
        if isinstance(value, list):
            found = [await self.with_names(item, f"{at}.{i}") for i, item in enumerate(value)]
            return [item for item, before in zip(found, value, strict=True) if item is not None or before is None]
        if not isinstance(value, dict):
            return value
        shown: dict[str, Json] = {}
        for member, inner in value.items():
            if member not in NAMED:
                shown[member] = await self.with_names(inner, f"{at}.{member}")
                continue
            name, sql = NAMED[member]
            if inner is None:
                shown[name] = None
                continue
            known = dict(await self._of(sql))
            ids = inner if isinstance(inner, list) else [inner]
            if any(id not in known for id in ids):
                self.left_out.append(f"{at}: {member} names something that was deleted")
                if member not in SHORTER:
                    return None
            names: list[Json] = [known[id] for id in ids if id in known]  # type: ignore[index]
            shown[name] = names if isinstance(inner, list) else names[0]
        return shown

    async def with_ids(self, value: Json, at: str) -> Json:
        """The value with ids for names. Raises `Invalid` for a name that nothing has here, or two things."""
        if isinstance(value, list):
            return [await self.with_ids(item, f"{at}.{i}") for i, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        stored: dict[str, Json] = {}
        for name, inner in value.items():
            if name in NAMED and inner not in (None, []):
                raise Invalid([Fault(f"{at}.{name}", "name", f"has another number here; write {NAMED[name][0]}")])
            if name not in _BY_NAME:
                stored[name] = await self.with_ids(inner, f"{at}.{name}")
                continue
            member, sql = _BY_NAME[name]
            if inner is None:
                stored[member] = None
                continue
            names = inner if isinstance(inner, list) else [inner]
            ids: list[Json] = [await self._id_of(sql, one, f"{at}.{name}") for one in names]
            stored[member] = ids if isinstance(inner, list) else ids[0]
        return stored

    async def _id_of(self, sql: str, name: Json, at: str) -> int:
        ids = [id for id, known in await self._of(sql) if known == name]
        if len(ids) == 1:
            return ids[0]
        message = f"names two things here: {name}" if ids else f"names nothing that exists here: {name}"
        raise Invalid([Fault(at, "reference", message)])
