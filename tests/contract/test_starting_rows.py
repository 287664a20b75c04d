"""What a new organization begins with, made through the door."""

from __future__ import annotations

from typing import Any

from frontdesk.core.caller import Caller, Role
from frontdesk.resources.organization.starting_rows import STAGES, add_starting_rows
from tests.world import World

NEW = """
    INSERT INTO organizations (id, name, timezone, currency, subscription_status, created_at, updated_at)
    OVERRIDING SYSTEM VALUE VALUES (9, 'New', 'UTC', 'EUR', 'active', now(), now()) RETURNING id
"""


async def test_a_new_organization_can_make_a_deal_at_once(world: World) -> None:
    async with world.database.system() as connection:
        caller = Caller(await connection.fetchval(NEW), None, Role.owner)
    async with world.database.transaction(caller.organization_id) as tx:
        await add_starting_rows(world.door, caller, tx)

    async def rows(path: str) -> list[dict[str, Any]]:
        return (await world.door.call(caller, path, "find")).value["data"]  # type: ignore[return-value]

    assert [(row["name"], row["entity"]) for row in await rows("pipelines")] == [("Sales", "deals")]
    assert [row["name"] for row in await rows("pipeline-stages")] == [*STAGES]
    assert [(row["code"], row["is_default"]) for row in await rows("currencies")] == [("EUR", True)]
    assert "Call" in {row["name"] for row in await rows("activity-types")}
    deal = (await world.door.call(caller, "deals", "create", data={"name": "First"})).value
    assert (deal["currency"], deal["pipelineStage"]["name"]) == ("EUR", "New")  # type: ignore[call-overload, index]
