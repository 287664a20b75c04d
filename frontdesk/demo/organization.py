"""Makes the demo organization in an empty database, and finds it again."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from frontdesk.core.caller import Caller, Role
from frontdesk.core.database import Connection
from frontdesk.core.door import Door
from frontdesk.demo import clinic
from frontdesk.resources.organization.starting_rows import add_starting_rows

LOCK = 0x64656D6F  # two workers that start at once must not both find the database empty
IS_EMPTY = "SELECT NOT EXISTS (SELECT FROM members)"
# Left by a start that was killed half-way: an organization without anybody in it.
REMOVE_HALF_MADE = """
    DELETE FROM organizations o WHERE NOT EXISTS (SELECT FROM members WHERE organization_id = o.id)
        AND NOT EXISTS (SELECT FROM organizations_users_invites WHERE organization_id = o.id)
"""
# Its API may be tried without end.
INSERT_ORGANIZATION = """
    INSERT INTO organizations
        (name, timezone, currency, subscription_status, ai_daily_budget, rate_limit, created_at, updated_at)
    VALUES ($1, $2, $3, 'active', 10, '0', $4, $4) RETURNING id
"""
FIND = """
    SELECT m.organization_id, m.user_id,
        (SELECT min(a.id) FROM ai_assistants a
            WHERE a.organization_id = m.organization_id AND a.deleted_at IS NULL) AS assistant_id,
        (SELECT min(c.id) FROM contacts c
            WHERE c.organization_id = m.organization_id AND c.deleted_at IS NULL) AS contact_id,
        (SELECT i.public_key FROM inbox_channels i
            WHERE i.organization_id = m.organization_id AND i.deleted_at IS NULL AND i.is_active
            AND i.channel = 'webchat' ORDER BY i.id LIMIT 1) AS public_key
    FROM members m JOIN users u ON u.id = m.user_id
    WHERE lower(u.email) = $1 AND m.deleted_at IS NULL AND m.role = 'owner' ORDER BY m.id LIMIT 1
"""
Rows = list[Mapping[str, object]]
DEFAULT_MODEL = "SELECT min(id) FROM ai_models WHERE organization_id IS NULL"


@dataclass(frozen=True)
class Demo:
    """Where things are in the demo organization; what its owner deleted is None."""

    organization_id: int
    user_id: int
    assistant_id: int | None
    contact_id: int | None
    public_key: str | None

    @property
    def email(self) -> str:
        return str(clinic.OWNER["email"])

    @property
    def caller(self) -> Caller:
        return Caller(self.organization_id, self.user_id, Role.owner)


async def find_demo(connection: Connection) -> Demo | None:
    row = await connection.fetchrow(FIND, clinic.OWNER["email"])
    return Demo(**dict(row)) if row else None


async def ensure_demo(door: Door) -> tuple[Demo | None, str | None]:
    """The demo organization, made if the database is empty; with the new login's password if it was made now."""
    async with door.database.system() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        try:
            if not await connection.fetchval(IS_EMPTY):
                return await find_demo(connection), None
            await connection.execute(REMOVE_HALF_MADE)
            now = door.clock.now()
            place = (clinic.NAME, clinic.TIMEZONE, clinic.CURRENCY, now)
            organization_id = await connection.fetchval(INSERT_ORGANIZATION, *place)
            password = secrets.token_urlsafe(12)
            await furnish(door, organization_id, password, await connection.fetchval(DEFAULT_MODEL))
            return await find_demo(connection), password
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)


async def furnish(door: Door, organization_id: int, password: str, model_id: int) -> None:
    """Everything of the clinic, in one transaction."""
    async with door.database.transaction(organization_id) as tx:

        async def create(caller: Caller, path: str, data: Mapping[str, object]) -> Mapping[str, object]:
            answer = await door.call(caller, path, "create", data=data, tx=tx)
            return cast("Mapping[str, object]", answer.value)

        first = Caller(organization_id, None, Role.owner)
        member = await create(first, "members", {**clinic.OWNER, "password": password})
        owner = Caller(organization_id, cast(int, member["user_id"]), Role.owner)
        await add_starting_rows(door, owner, tx)
        contacts = [await create(owner, "contacts", row) for row in clinic.CONTACTS]
        products = [await create(owner, "products", row) for row in clinic.PRODUCTS]
        await _sell(door, owner, tx, contacts, products)
        for index, text, is_internal in clinic.NOTES:
            note = {"contact_id": contacts[index]["id"], "text": text, "is_internal": is_internal}
            await create(owner, "notes", note)
        assistant = await create(owner, "ai-assistants", {**clinic.ASSISTANT, "ai_model_id": model_id})
        await create(owner, "inbox-channels", {**clinic.CHANNEL, "ai_assistant_id": assistant["id"]})
        await create(owner, "ai-assistants", {**clinic.TICKET_ASSISTANT, "ai_model_id": model_id})
        await create(owner, "ai-assistants", {**clinic.TEAM_ASSISTANT, "ai_model_id": model_id})
        for index, ticket, answer in clinic.TICKETS:
            made = await create(owner, "support-tickets", {**ticket, "contact_id": contacts[index]["id"]})
            if answer is not None:
                said = {"support_ticket_id": made["id"], "message_text": answer, "takeover": True}
                await create(owner, "support-ticket-messages", said)


async def _sell(door: Door, owner: Caller, tx: Connection, contacts: Rows, products: Rows) -> None:
    """A company, and deals with their lines in the stages that every organization begins with."""
    company = await door.call(owner, "companies", "create", data=clinic.COMPANY, tx=tx)
    worker = contacts[clinic.COMPANY_OF]["id"]
    await door.call(owner, "contacts", "patch", id=cast(int, worker), data={"company_id": company.id}, tx=tx)
    stages = {str(row["name"]): row["id"] for row in await _rows(door, owner, tx, "pipeline-stages")}
    for index, stage, deal, lines in clinic.DEALS:
        place = {"contact_id": contacts[index]["id"], "pipeline_stage_id": stages[stage]}
        if contacts[index]["id"] == worker:
            place["company_id"] = company.id
        made = await door.call(owner, "deals", "create", data={**deal, **place}, tx=tx)
        for product, line in lines:
            whole = {**line, "deal_id": made.id, "product_id": products[product]["id"]}
            await door.call(owner, "deal-products", "create", data=whole, tx=tx)


async def _rows(door: Door, owner: Caller, tx: Connection, path: str) -> Rows:
    return cast(Rows, (await door.call(owner, path, "find", query={"$limit": 50}, tx=tx)).value["data"])
