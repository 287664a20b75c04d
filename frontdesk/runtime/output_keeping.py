"""Where a turn's values go: on the turn, on the decisions about its inbounds, and into custom fields.

All of it is written in the transaction that commits the answer (or ends a muted turn), so each happens exactly once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from frontdesk.assistants.config import Access, AssistantConfig
from frontdesk.assistants.decision_rows import KEEP_OUTPUT
from frontdesk.assistants.json_keys import JsonKey, SavedEntity
from frontdesk.assistants.json_saving import ACCESS_OF, PATHS, find_field, fitting
from frontdesk.core.caller import Caller, Role, Scope
from frontdesk.core.custom_values import BY_KEY, Definition, definitions_of
from frontdesk.core.database import Connection
from frontdesk.core.door import Door
from frontdesk.core.errors import ApiError, Json, Unavailable
from frontdesk.core.fields import Wrong
from frontdesk.runtime.final_answer import Output
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.tooling import AssistantView

KEEP = f"""
    WITH kept AS (
        UPDATE ai_turns SET structured_output = $3, structured_output_report = $4 WHERE organization_id = $1 AND id = $2
    )
    {KEEP_OUTPUT}
"""
# Of a contact's deals one is meant only where one is open; a second one is enough to know that it is not clear.
ROWS = """
    SELECT c.contact_id, k.company_id, CASE WHEN c.kind = 'ticket' THEN c.id END AS ticket_id, ARRAY(
        SELECT d.id FROM deals d
        WHERE d.organization_id = $1 AND d.contact_id = c.contact_id AND d.status = 'open' AND d.deleted_at IS NULL
        ORDER BY d.id LIMIT 2) AS deal_ids
    FROM conversations c
    LEFT JOIN contacts k ON k.organization_id = $1 AND k.id = c.contact_id AND k.deleted_at IS NULL
    WHERE c.organization_id = $1 AND c.id = $2
"""
Entry = dict[str, Json]


class NotSaved(Exception):
    """Why a value is not in its custom field, in words."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value that shall be kept in a custom field, named by its key or its display name."""

    key: str
    custom_field: str
    value: Json


@dataclass(frozen=True, slots=True)
class Saving:
    """The values of one turn on their way into custom fields; `view` is the assistant and the contact as they are."""

    connection: Connection
    door: Door
    held: HeldTurn
    view: AssistantView
    rows: asyncpg.Record

    async def save(self, entity: SavedEntity, values: Sequence[Wanted]) -> dict[str, Entry]:
        """By key what became of each value of one entity: saved where, or why not."""
        try:
            id = self._row(entity)
        except NotSaved as why:
            return {wanted.key: {"not_saved": str(why)} for wanted in values}
        definitions = await definitions_of(self.connection, self.held.organization_id, PATHS[entity])
        told: dict[str, Entry] = {}
        changes: dict[str, Json] = {}
        for wanted in values:
            definition = find_field(definitions, wanted.custom_field)
            try:
                if definition is None:
                    raise NotSaved(f"no custom field of the entity {entity} is called {wanted.custom_field}")
                changes[definition.key] = checked(definition, wanted.value)
            except NotSaved as why:
                told[wanted.key] = {"not_saved": str(why)}
                continue
            told[wanted.key] = {"saved_to": {"entity": entity, "id": id, "custom_field": definition.key}}
        if changes and (why_not := await self._write(entity, id, changes)) is not None:
            failed = [key for key, entry in told.items() if "saved_to" in entry]
            told |= {key: {"not_saved": why_not} for key in failed}
        return told

    def _row(self, entity: SavedEntity) -> int:
        """The row that is meant. Raises `NotSaved`."""
        if self.view.is_blocked:
            raise NotSaved("the contact is blocked")
        for config in (self.held.config, self.view.config):
            if access_to(config, entity) != "read_write":
                raise NotSaved(f"access_permissions_{ACCESS_OF[entity]} is not read_write")
        deals: list[int] = self.rows["deal_ids"]
        if entity == "deal" and len(deals) > 1:
            raise NotSaved("the contact has more than one open deal")
        found = {
            "contact": self.rows["contact_id"], "company": self.rows["company_id"], "ticket": self.rows["ticket_id"],
            "deal": deals[0] if deals else None,
        }[entity]  # fmt: skip
        if found is None:
            raise NotSaved(NO_ROW[entity])
        id: int = found
        return id

    async def _write(self, entity: SavedEntity, id: int, changes: Mapping[str, Json]) -> str | None:
        """The change through the door, with the assistant as its author. What fails is undone and told."""
        try:
            async with self.connection.transaction():
                data = {BY_KEY: dict(changes)}
                await self.door.call(self._caller(entity), PATHS[entity], "patch", id=id, data=data, tx=self.connection)
        except Unavailable:
            raise
        except ApiError as error:
            return error.message
        return None

    def _caller(self, entity: SavedEntity) -> Caller:
        """The assistant, which reaches what is the contact's own, and the very ticket that it works on."""
        held, view = self.held, self.view
        own = Scope(held.conversation_id, view.contact_id, view.is_contact_verified)
        return Caller(
            held.organization_id, None, Role.member, ai_assistant_id=held.turn.ai_assistant_id, via="tool",
            conversation_id=held.conversation_id, scope=None if entity == "ticket" else own,
        )  # fmt: skip


NO_ROW: dict[SavedEntity, str] = {
    "contact": "the conversation has no contact",
    "company": "the contact has no company",
    "deal": "the contact has no open deal",
    "ticket": "this conversation is no ticket",
}


def access_to(config: AssistantConfig, entity: SavedEntity) -> Access:
    return config.access(ACCESS_OF[entity])


def checked(definition: Definition, value: Json) -> Json:
    """The value in the form of the field's type. Raises `NotSaved` where it does not fit."""
    fitted = fitting(definition.type, value)
    try:
        definition.check(fitted)
    except Wrong as wrong:
        raise NotSaved(f"the custom field {definition.key} {wrong.message}") from None
    return fitted


async def keep_output(connection: Connection, door: Door, held: HeldTurn, output: Output) -> None:
    """Store the values and save those that have a custom field, in the transaction of the caller, the turn locked."""
    saved: dict[str, Entry] = {}
    wanted: dict[SavedEntity, list[Wanted]] = {}
    for one in held.config.json_keys.root:
        if one.save_to is not None and one.key in output.values:
            value = Wanted(one.key, one.save_to.custom_field, output.values[one.key])
            wanted.setdefault(one.save_to.entity, []).append(value)
    if wanted:
        rows = await connection.fetchrow(ROWS, held.organization_id, held.conversation_id)
        assert rows is not None
        saving = Saving(connection, door, held, await held.current_assistant(connection), rows)
        for entity, values in wanted.items():
            saved |= await saving.save(entity, values)
    report = [entry_of(one, output) | saved.get(one.key, {}) for one in held.config.json_keys.root]
    await connection.execute(
        KEEP, held.organization_id, held.turn_id, json.dumps(output.values), json.dumps(report)
    )  # fmt: skip


def entry_of(one: JsonKey, output: Output) -> Entry:
    """What became of one key: given, not_given (it may be left out), missing or invalid, with the reason."""
    if one.key in output.values:
        return {"key": one.key, "status": "given"}
    code, reason = output.faults.get(one.key, ("not_given", None))
    return {"key": one.key, "status": code, **({"reason": reason} if reason else {})}
