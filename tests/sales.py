"""A pipeline with stages, made over HTTP: what tests of deals stand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from tests.world import World

Row = dict[str, Any]


async def make(client: httpx.AsyncClient, path: str, **body: object) -> Row:
    answer = await client.post(f"/{path}", json=body)
    assert answer.status_code == 201, answer.text
    row: Row = answer.json()
    return row


async def patched(client: httpx.AsyncClient, path: str, row: Row, **body: object) -> httpx.Response:
    return await client.patch(f"/{path}/{row['id']}", json=body)


@dataclass
class Sales:
    """One pipeline with three stages, and a client of the owner."""

    client: httpx.AsyncClient
    pipeline: Row
    stages: list[Row]

    async def deal(self, **body: object) -> Row:
        return await make(self.client, "deals", **({"name": "Website"} | body))

    async def change(self, deal: Row, **body: object) -> Row:
        answer = await patched(self.client, "deals", deal, **body)
        assert answer.status_code == 200, answer.text
        row: Row = answer.json()
        return row

    async def refused(self, deal: Row, **body: object) -> set[str]:
        answer = await patched(self.client, "deals", deal, **body)
        assert answer.status_code == 400, answer.text
        return set(answer.json()["errors"])


async def make_pipeline(client: httpx.AsyncClient, name: str, *stages: str, **body: object) -> tuple[Row, list[Row]]:
    pipeline = await make(client, "pipelines", name=name, **body)
    return pipeline, [await make(client, "pipeline-stages", name=one, pipeline_id=pipeline["id"]) for one in stages]


async def make_sales(world: World, client: httpx.AsyncClient) -> Sales:
    pipeline, stages = await make_pipeline(client, "Sales", "New", "Offer", "Signing")
    return Sales(client, pipeline, stages)
