"""Merging contacts: two records of one person become one, with all that hangs on them.

Only a person says that two are the same. It decides who may see what: whoever proved to be the one contact reads what
was the other's from then on. A customer who proved nothing still reaches only what their own conversation made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import cast

import asyncpg

from frontdesk.core.custom_values import definitions_of, write_json
from frontdesk.core.door import Call, Door
from frontdesk.core.errors import Fault, Forbidden, Invalid, Json
from frontdesk.core.events import emit
from frontdesk.core.fields import Field
from frontdesk.core.jobs import enqueue
from frontdesk.core.joins import joined
from frontdesk.core.resource import Resource

from .merge_plan import move
from .merge_values import COLUMN, COLUMNS, check_choice, chosen, chosen_custom, unknown_custom

DOORBELL = "contact-merge"
# Who wrote in a transaction that began before the merge ended may have named the old contact once more.
GATHER_AFTER = (timedelta(seconds=5), timedelta(seconds=90))

# In the order of the ids, so that two merges of the same pair wait for each other instead of both going on. Not more
# than NO KEY UPDATE: both hold the weaker lock of their references by now, and would wait for each other for ever.
LOCK = f"""
    SELECT id, {", ".join(COLUMNS)}, opted_out_at, {COLUMN}::text AS custom FROM contacts
    WHERE organization_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE
"""
END = """
    UPDATE contacts SET deleted_at = $4, updated_at = $4, merged_into_contact_id = $2, version = version + 1
    WHERE organization_id = $1 AND id = $3
"""
# Nobody who wanted no broadcasts gets them again by being merged.
OPT_OUT = """
    UPDATE contacts SET opted_out_at = least(opted_out_at, $3), updated_at = $4, version = version + 1
    WHERE organization_id = $1 AND id = $2
"""
CUSTOM = f"UPDATE contacts SET {COLUMN} = {COLUMN} || $3::jsonb WHERE organization_id = $1 AND id = $2"
FIND = """
    SELECT m.merged_contact_id AS merged, c.merged_into_contact_id AS kept, m.moved::text AS moved
    FROM contact_merges m
    JOIN contacts c ON c.organization_id = m.organization_id AND c.id = m.merged_contact_id
    WHERE m.organization_id = $1 AND m.id = $2 FOR UPDATE OF m
"""
COUNT = """
    UPDATE contact_merges SET moved = $3, updated_at = $4, version = version + 1 WHERE organization_id = $1 AND id = $2
"""


async def _prepare(call: Call) -> None:
    if call.caller.ai_assistant_id is not None:
        raise Forbidden("Only a person may say that two contacts are the same.")
    data, org = call.data, call.organization_id
    ids = (cast(int, data["contact_id"]), cast(int, data["merged_contact_id"]))
    if ids[0] == ids[1]:
        raise Invalid([Fault("merged_contact_id", "different", "must be another contact than contact_id")])
    kept, merged = await _locked(call, *ids)
    choice = cast("Mapping[str, Json]", data.get("fields") or {})
    definitions = await definitions_of(call.connection, org, "contacts")
    if faults := unknown_custom(choice, definitions):
        raise Invalid(faults)
    now = call.door.clock.now()
    data["moved"] = dict(await move(call.connection, call.door.registry, org, *ids, now))
    data["merged_values"] = _shown(merged)
    await call.connection.execute(END, org, *ids, now)
    await _set(call, ids[0], chosen(dict(kept), dict(merged), choice))
    before, after = (json.loads(row["custom"], parse_float=Decimal) for row in (kept, merged))
    custom = chosen_custom(before, after, choice, definitions)
    if custom:
        await call.connection.execute(CUSTOM, org, ids[0], write_json({int(id): value for id, value in custom.items()}))
    await call.connection.execute(OPT_OUT, org, ids[0], merged["opted_out_at"], now)
    await emit(call.connection, org, "contacts", "updated", ids[0])
    await emit(call.connection, org, "contacts", "deleted", ids[1])


async def _locked(call: Call, kept: int, merged: int) -> tuple[asyncpg.Record, asyncpg.Record]:
    rows = {row["id"]: row for row in await call.connection.fetch(LOCK, call.organization_id, [kept, merged])}
    names = {"contact_id": kept, "merged_contact_id": merged}
    # Somebody else has merged or deleted one of them while we waited.
    faults = [
        Fault(name, "reference", "names no row of contacts", id=id) for name, id in names.items() if id not in rows
    ]
    if faults:
        raise Invalid(faults)
    return rows[kept], rows[merged]


async def _set(call: Call, contact_id: int, values: Mapping[str, object]) -> None:
    if values:
        changes = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, 3))
        sql = f"UPDATE contacts SET {changes} WHERE organization_id = $1 AND id = $2"
        await call.connection.execute(sql, call.organization_id, contact_id, *values.values())


def _shown(row: asyncpg.Record) -> dict[str, Json]:
    """What the merged contact was, so that nothing of it is lost."""
    custom: dict[str, Json] = json.loads(row["custom"])
    plain = {name: row[name] for name in COLUMNS if row[name] is not None}
    return {**plain, **({COLUMN: custom} if custom else {})}


async def _finish(call: Call) -> None:
    assert call.answer is not None
    for delay in GATHER_AFTER:
        await enqueue(call.connection, DOORBELL, call.organization_id, cast(int, call.answer.id), delay=delay)


async def gather(door: Door, organization_id: int, merge_id: int) -> None:
    """Move what was written to the merged contact by those who did not know of the merge yet."""
    async with door.database.transaction(organization_id) as connection:
        row = await connection.fetchrow(FIND, organization_id, merge_id)
        if row is None or row["kept"] is None:
            return
        now = door.clock.now()
        late = await move(connection, door.registry, organization_id, row["kept"], row["merged"], now)
        if late:
            moved: dict[str, int] = json.loads(row["moved"])
            sums = {name: moved.get(name, 0) + late.get(name, 0) for name in {**moved, **late}}
            await connection.execute(COUNT, organization_id, merge_id, json.dumps(sums), now)


class Gathering:
    """What the worker does when the bell of a merge rings."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def advance(self, organization_id: int, merge_id: int) -> None:
        await gather(self.door, organization_id, merge_id)


contact_merges = Resource(
    path="contact-merges",
    singular="contact merge",
    area="crm",
    description=(
        "Merges two contacts that are one person. The one named by `contact_id` stays and gets all that hangs on the "
        "other, and the values that it lacks; the other one is deleted. It cannot be undone."
    ),
    verbs=("find", "get", "create"),
    fields=(
        Field("contact_id", "integer", is_required=True, is_nullable=False, references="contacts", example=1),
        Field("merged_contact_id", "integer", is_required=True, is_nullable=False, references="contacts", example=2),
        Field(
            "fields", "json", write="create", check=check_choice,
            description='Whose value wins where both have one: `{"email": "merged"}`; the kept one\'s if not named.',
        ),
        Field("moved", "json", is_nullable=False, default={}, write="never", description="Rows moved, by resource."),
        Field(
            "merged_values", "json", is_nullable=False, default={}, write="never",
            description="What the merged contact was.",
        ),
    ),
    joins={"contact": joined("contacts", "contact_id", "id", "first_name", "last_name", "email")},
    default_sort=(("id", -1),),
    prepare=_prepare,
    finish=_finish,
)  # fmt: skip
