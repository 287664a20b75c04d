"""Contacts that may be the same person: one e-mail address, or one phone number with its country code."""

from __future__ import annotations

from pydantic_core import from_json

from frontdesk.core.door import Call
from frontdesk.core.errors import BadRequest, Json
from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource

# Each contact is told once, with its oldest equal, so that a group of n is n - 1 pairs. The groups come in the order of
# their indexes, without sorting all contacts.
PAIRS = """
    WITH equals AS (
        SELECT 'email' AS reason, array_agg(id ORDER BY id) AS ids FROM contacts
        WHERE organization_id = $1 AND deleted_at IS NULL AND email IS NOT NULL
        GROUP BY lower(email) HAVING count(*) > 1
        UNION ALL
        SELECT 'phone', array_agg(id ORDER BY id) FROM contacts
        WHERE organization_id = $1 AND deleted_at IS NULL AND phone_digits IS NOT NULL
        GROUP BY phone_digits HAVING count(*) > 1
    ), all_pairs AS (
        SELECT ids[1] AS contact_id, later AS merged_contact_id, array_agg(reason ORDER BY reason) AS reasons
        FROM equals, unnest(ids[2:]) AS later GROUP BY 1, 2
    ), pairs AS (
        SELECT DISTINCT ON (merged_contact_id) * FROM all_pairs ORDER BY merged_contact_id, contact_id
    ), page AS (
        SELECT * FROM pairs ORDER BY contact_id, merged_contact_id LIMIT $2 OFFSET $3
    )
    SELECT (SELECT count(*) FROM pairs) AS total, coalesce((
        SELECT json_agg(json_build_object(
            'id', p.merged_contact_id, 'contact_id', p.contact_id, 'merged_contact_id', p.merged_contact_id,
            'reasons', p.reasons,
            'contact', (SELECT {shown} FROM contacts c WHERE c.organization_id = $1 AND c.id = p.contact_id),
            'merged_contact',
                (SELECT {shown} FROM contacts c WHERE c.organization_id = $1 AND c.id = p.merged_contact_id)
        ) ORDER BY p.contact_id, p.merged_contact_id) FROM page p
    ), '[]'::json)::text AS data
"""
SHOWN = ", ".join(
    f"'{name}', c.{name}"
    for name in ("id", "first_name", "last_name", "email", "phone", "phone_country_code", "channel_whatsapp_wa_id")
)
SQL = PAIRS.format(shown=f"json_build_object({SHOWN})")


async def _find(call: Call) -> Json:
    query = call.query
    if query.where or query.sort or query.select is not None or query.search:
        raise BadRequest("Suggested pairs take $limit and $skip only.", errors={"$limit": "and $skip are all there is"})
    row = await call.connection.fetchrow(SQL, call.organization_id, query.limit, query.skip)
    assert row is not None
    page: dict[str, Json] = {"total": row["total"], "limit": query.limit, "skip": query.skip}
    return {**page, "data": from_json(row["data"])}


contact_duplicates = Resource(
    path="contact-duplicates",
    singular="suggested pair",
    area="crm",
    description=(
        "Pairs of contacts with the same e-mail address or phone number, the older one first: what could be merged. "
        "`contact_id` and `merged_contact_id` can be sent to `POST /contact-merges` as they are."
    ),
    of="contacts",
    verbs=("find",),
    is_told=False,
    fields=(Field("system_type", is_nullable=False, default="contact", write="never"),),
    derived=(
        Field("contact_id", "integer", is_nullable=False, write="never"),
        Field("merged_contact_id", "integer", is_nullable=False, write="never"),
        Field("reasons", "texts", is_nullable=False, write="never", description="email, phone, or both."),
        Field("contact", "json", is_nullable=False, write="never"),
        Field("merged_contact", "json", is_nullable=False, write="never"),
    ),
    handlers={"find": _find},
)
