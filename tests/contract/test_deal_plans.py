"""With 50,000 deals a list reads an index, as the application's role and under its policies."""

from __future__ import annotations

import re

import asyncpg

from frontdesk.core.statements import find_statement
from tests.world import OURS, World

ROWS = """
    WITH pipeline AS (
        INSERT INTO pipelines (organization_id, name, entity, position, created_at, updated_at)
        SELECT 1 + n % 2, 'P' || n, 'deals', n, now(), now() FROM generate_series(1, 8) n RETURNING organization_id, id
    ), stage AS (
        INSERT INTO pipeline_stages (organization_id, pipeline_id, name, position, created_at, updated_at)
        SELECT organization_id, id, 'S' || n, n, now(), now() FROM pipeline, generate_series(1, 5) n
        RETURNING organization_id, pipeline_id, id
    ), contact AS (
        INSERT INTO contacts (organization_id, system_type, created_at, updated_at)
        SELECT 1 + n % 2, 'contact', now(), now() FROM generate_series(1, 1000) n RETURNING organization_id, id
    )
    INSERT INTO deals (organization_id, name, amount, currency, status, pipeline_id, pipeline_stage_id, contact_id,
                       created_at, updated_at)
    SELECT s.organization_id, 'deal ' || n, n, 'USD', 'open', s.pipeline_id, s.id,
        (SELECT min(id) FROM contact c WHERE c.organization_id = s.organization_id) + 2 * (n % 400),
        now() - n * interval '1 minute', now()
    FROM stage s, generate_series(1, 1250) n
"""
NEWEST = (("created_at", -1),)
LISTS = {
    "of a stage": ("ix_deals_pipeline_stage_id_created_at", (("pipeline_stage_id", "$eq"),), NEWEST),
    "of a pipeline's stage": (
        "ix_deals_pipeline_stage_id_created_at", (("pipeline_id", "$eq"), ("pipeline_stage_id", "$eq")), NEWEST,
    ),
    "of a pipeline": ("ix_deals_pipeline_id_created_at", (("pipeline_id", "$eq"),), NEWEST),
    "of all": ("ix_deals_created_at", (), NEWEST),
    "of a contact": ("ix_deals_contact_id", (("contact_id", "$eq"),), ()),
}  # fmt: skip


async def fill(url: str) -> None:
    owner = await asyncpg.connect(url)
    try:
        await owner.execute(ROWS)
        for table in ("deals", "contacts", "pipelines", "pipeline_stages"):
            await owner.execute(f"VACUUM ANALYZE {table}")
    finally:
        await owner.close()


async def plan_of(world: World, where: tuple[tuple[str, str], ...], sort: tuple[tuple[str, int], ...]) -> str:
    found = find_statement(world.registry["deals"], where, sort, None, False, "", False)
    async with world.database.reading(OURS) as connection:
        first = await connection.fetchrow("SELECT pipeline_id, pipeline_stage_id, contact_id FROM deals LIMIT 1")
        values = {"org": OURS, "limit": 50, "skip": 0} | {f"p{i}": first[shape[0]] for i, shape in enumerate(where)}
        sql = re.sub(r"\$(\d+)", lambda match: str(found.arguments(values)[int(match[1]) - 1]), found.sql)
        return "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {sql}"))


async def test_every_list_of_deals_reads_its_index(world: World, database_url: str) -> None:
    await fill(database_url)
    for name, (index, where, sort) in LISTS.items():
        plan = await plan_of(world, where, sort)
        assert index in plan, (name, plan)
        # The total of all is all of them; every other total is read off an index too.
        assert name == "of all" or "Seq Scan on deals" not in plan, (name, plan)
