"""Who a broadcast is for: the contacts of its audience at the moment when it is sent, one row each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from frontdesk.core.door import Call
from frontdesk.core.errors import BadRequest, Fault, Invalid, Json
from frontdesk.core.query import QueryReader
from frontdesk.core.statements import ids_statement

AUDIENCES = ("contact_ids", "tag_id", "filter")
NOT_A_CONDITION = ("$limit", "$skip", "$sort", "$select", "searchTerm")
MISSING = """
    SELECT id FROM unnest($2::bigint[]) AS id
    EXCEPT SELECT id FROM contacts WHERE organization_id = $1 AND deleted_at IS NULL
    ORDER BY id LIMIT 10
"""
# Each address once, the oldest contact of it; the key is 122 random bits.
INSERT = """
    INSERT INTO email_broadcast_recipients (organization_id, email_broadcast_id, contact_id, email, status, reason,
        attempts, due_at, unsubscribe_key, created_at, updated_at)
    SELECT {org}, {id}, p.id, p.email, CASE WHEN said.reason IS NULL THEN 'pending' ELSE 'skipped' END, said.reason,
        0, {now}, replace(gen_random_uuid()::text, '-', ''), {now}, {now}
    FROM (
        SELECT c.id, c.email, c.opted_out_at,
            row_number() OVER (PARTITION BY lower(c.email) ORDER BY c.id) AS place
        FROM contacts c WHERE c.organization_id = {org} AND c.id IN ({found})
    ) p, LATERAL (SELECT CASE
        WHEN p.email IS NULL THEN 'no_email'
        WHEN p.opted_out_at IS NOT NULL THEN 'opted_out'
        WHEN EXISTS (SELECT FROM conversations t WHERE t.organization_id = {org} AND t.contact_id = p.id
            AND t.blocked AND t.deleted_at IS NULL) THEN 'contact_blocked'
        WHEN p.place > 1 THEN 'duplicate' END AS reason) said
    ORDER BY p.id
"""
COUNTS = """
    SELECT count(*), count(*) FILTER (WHERE status = 'skipped') FROM email_broadcast_recipients
    WHERE organization_id = $1 AND email_broadcast_id = $2
"""


async def freeze(call: Call, id: int, broadcast: Mapping[str, Json], now: datetime) -> tuple[int, int]:
    """Write the recipients of broadcast `id`. Gives how many they are, and how many of them get nothing.

    Raises `Invalid` that names the audience: for ids of nobody, or a filter that cannot be read.
    """
    read = QueryReader(call.door.registry["contacts"]).read(await _query(call, broadcast))
    statement = ids_statement(call.door.registry["contacts"], read.where)
    values = {"org": call.organization_id, **{f"p{i}": value for i, value in enumerate(read.values)}}
    arguments = statement.arguments(values)
    org, place, moment = (f"${len(arguments) + i}" for i in (1, 2, 3))
    sql = INSERT.format(org=f"{org}::int", id=f"{place}::bigint", now=f"{moment}::timestamptz", found=statement.sql)
    await call.connection.execute(sql, *arguments, call.organization_id, id, now)
    row = await call.connection.fetchrow(COUNTS, call.organization_id, id)
    assert row is not None
    return row[0], row[1]


async def check_contacts(call: Call, ids: object) -> None:
    """Raises `Invalid` that names the first ids which are no contacts of the organization."""
    if missing := [row["id"] for row in await call.connection.fetch(MISSING, call.organization_id, ids)]:
        message = f"names no contact: {', '.join(map(str, missing))}"
        raise Invalid([Fault("contact_ids", "reference", message, ids=missing)])


async def _query(call: Call, broadcast: Mapping[str, Json]) -> Mapping[str, object]:
    """The audience as conditions of the contacts list."""
    if (ids := broadcast.get("contact_ids")) is not None:
        await check_contacts(call, ids)
        return {"id": {"$in": ids}}
    if (tag := broadcast.get("tag_id")) is not None:
        return {"tag_id": tag}
    query = broadcast.get("filter")
    assert isinstance(query, dict)
    if wrong := [name for name in NOT_A_CONDITION if name in query]:
        raise Invalid([Fault(f"filter.{name}", "not", "is no condition") for name in wrong])
    try:
        QueryReader(call.door.registry["contacts"]).read(query)
    except BadRequest as error:
        faults = [Fault(f"filter.{name}", "query", message) for name, message in error.errors.items()]
        raise Invalid(faults or [Fault("filter", "query", error.message)]) from None
    return query
