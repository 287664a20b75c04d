"""Webhooks over the API: what may be subscribed, who sees the secret, and what may be sent again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from frontdesk.core.caller import Role
from frontdesk.core.database import Database
from frontdesk.core.subscriptions import told_to_webhooks
from tests.webhook_receiver import is_signed
from tests.webhook_room import WebhookRoom, webhook_room
from tests.world import OURS, THEIRS, World

HOOK = {"url": "https://example.com/hooks", "events": ["contacts.*"]}


@pytest.fixture
async def room(database: Database, tmp_path: Path) -> AsyncIterator[WebhookRoom]:
    async with webhook_room(database, tmp_path) as room:
        yield room


async def test_the_secret_is_shown_once(world: World) -> None:
    async with world.client() as client:
        made = (await client.post("/webhooks", json=HOOK)).json()
        read = (await client.get(f"/webhooks/{made['id']}")).text
        page = (await client.get("/webhooks")).text
        patched = (await client.patch(f"/webhooks/{made['id']}", json={"description": "Ours"})).text
    assert made["secret"].startswith("whsec_")
    assert made["secret_mask"].endswith(made["secret"][-4:])
    assert not any(made["secret"] in text for text in (read, page, patched))


async def test_the_secret_stands_nowhere_in_the_database(world: World) -> None:
    async with world.client() as client:
        made = (await client.post("/webhooks", json=HOOK)).json()
    async with world.database.system() as connection:
        for table in ("webhooks", "events", "webhook_deliveries", "pgqueuer"):
            rows = await connection.fetch(f"SELECT t::text FROM {table} t")
            assert made["secret"] not in str(rows)


async def test_a_rotation_gives_another_secret_and_keeps_the_old_one_for_a_day(world: World) -> None:
    async with world.client() as client:
        made = (await client.post("/webhooks", json=HOOK)).json()
        rotated = (await client.patch(f"/webhooks/{made['id']}", json={"rotate_secret": True})).json()
        unrotated = (await client.patch(f"/webhooks/{made['id']}", json={"rotate_secret": False})).json()
    assert rotated["secret"] != made["secret"]
    assert rotated["previous_secret_until"] > rotated["updated_at"]
    assert "secret" not in unrotated


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://example.com/x"}, "url"),
        ({"url": "ftp://example.com/x"}, "url"),
        ({"url": "https://user:word@example.com/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://[::1]:8080/"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "https://10.1.2.3/"}, "url"),
        ({"url": "https://exa mple.com/"}, "url"),
        ({"url": "https://example.com/\r\nX-Evil: 1"}, "url"),
        ({"url": "https://example.com\\@127.0.0.1/"}, "url"),
        ({"url": "https://example.com:0/"}, "url"),
        ({"url": "nonsense"}, "url"),
        ({"url": ""}, "url"),
        ({"url": None}, "url"),
        ({"url": "https://example.com/" + "x" * 2000}, "url"),
        ({"events": []}, "events"),
        ({"events": ["contacts.burned"]}, "events"),
        ({"events": ["contacts.*", "shoes.*"]}, "events"),
        ({"events": ["con*"]}, "events"),
        ({"events": "contacts.*"}, "events"),
        ({"events": None}, "events"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"secret_mask": "x"}, "secret_mask"),
    ],
)
async def test_each_wrong_field_is_named(world: World, body: dict[str, object], field: str) -> None:
    async with world.client() as client:
        answer = await client.post("/webhooks", json={**HOOK, **body})
        if field == "secret_mask":
            assert answer.json()["secret_mask"] != "x"
            return
        assert answer.status_code == 400, answer.text
        assert field in answer.json()["errors"]
        kept = (await client.post("/webhooks", json=HOOK)).json()
        assert (await client.patch(f"/webhooks/{kept['id']}", json=body)).status_code == 400


async def test_http_is_for_hosts_that_the_operator_allows(room: WebhookRoom) -> None:
    made = await room.subscribe(url="http://127.0.0.1:9/hook")
    assert made["url"] == "http://127.0.0.1:9/hook"
    async with room.world.client() as client:
        answer = await client.post("/webhooks", json={**HOOK, "url": "http://127.0.0.2/hook"})
    assert answer.json()["errors"] == {"url": "must begin with https://"}


async def test_what_is_private_to_a_user_is_no_event_for_webhooks(world: World) -> None:
    assert "views.created" not in told_to_webhooks(world.registry)
    async with world.client() as client:
        answer = await client.post("/webhooks", json={**HOOK, "events": ["views.*"]})
    assert "events" in answer.json()["errors"]


async def test_members_have_no_webhooks(world: World) -> None:
    async with world.client(Role.member) as client:
        for path in ("webhooks", "webhook-deliveries", "webhook-deliveries-replays"):
            assert (await client.get(f"/{path}")).status_code == 403
        assert (await client.post("/webhooks", json=HOOK)).status_code == 403


async def test_one_delivery_is_sent_again_with_the_same_id(room: WebhookRoom) -> None:
    made = await room.subscribe()
    await room.make_contact()
    await room.ring()
    (delivery,) = await room.deliveries()
    async with room.world.client() as client:
        answer = await client.post("/webhook-deliveries-replays", json={"delivery_id": delivery["id"]})
    assert answer.json()["replayed_count"] == 1
    await room.ring()
    first, second = room.receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == delivery["event_id"]
    assert first.body == second.body
    assert is_signed(second, str(made["secret"]))


async def test_what_was_missed_while_it_was_off_is_sent_on_demand_and_once(room: WebhookRoom) -> None:
    made = await room.subscribe("contacts.created")
    await room.patch(made["id"], is_active=False)
    await room.make_contact("Missed")
    await room.ring()
    await room.patch(made["id"], is_active=True)
    await room.ring()
    assert room.receiver.got == []
    counts = []
    async with room.world.client() as client:
        for _ in range(2):
            answer = await client.post("/webhook-deliveries-replays", json={"webhook_id": made["id"]})
            counts.append(answer.json()["replayed_count"])
            await room.ring()
    assert counts == [1, 0]
    assert [b"Missed" in got.body for got in room.receiver.got] == [True]


async def test_the_same_replay_twice_at_once_makes_each_delivery_once(room: WebhookRoom) -> None:
    made = await room.subscribe("contacts.created")
    await room.patch(made["id"], is_active=False)
    for i in range(5):
        await room.make_contact(f"Missed {i}")
    await room.patch(made["id"], is_active=True)
    async with room.world.client() as client:
        body = {"webhook_id": made["id"]}
        answers = await asyncio.gather(*(client.post("/webhook-deliveries-replays", json=body) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len(await room.deliveries()) == 5


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "delivery_id"),
        ({"delivery_id": 1, "webhook_id": 1}, "delivery_id"),
        ({"delivery_id": 999}, "delivery_id"),
        ({"delivery_id": "x"}, "delivery_id"),
        ({"webhook_id": 999}, "webhook_id"),
        ({"webhook_id": 1, "since": "2020-01-01T00:00:00Z"}, "since"),
        ({"webhook_id": 1, "since": "2999-01-01T00:00:00Z"}, "since"),
        ({"webhook_id": 1, "since": "yesterday"}, "since"),
        ({"delivery_id": 1, "since": "2026-01-01T00:00:00Z"}, "since"),
    ],
)
async def test_each_wrong_replay_is_named(room: WebhookRoom, body: dict[str, object], field: str) -> None:
    await room.subscribe()
    async with room.world.client() as client:
        answer = await client.post("/webhook-deliveries-replays", json=body)
    assert answer.status_code == 400, answer.text
    assert field in answer.json()["errors"]


async def test_nothing_of_another_organization_is_sent_again(room: WebhookRoom) -> None:
    theirs = await room.world.row("webhooks", THEIRS)
    delivery = await room.world.row("webhook-deliveries", THEIRS, webhook_id=theirs)
    async with room.world.client() as client:
        for body in ({"webhook_id": theirs}, {"delivery_id": delivery}):
            answer = await client.post("/webhook-deliveries-replays", json=body)
            assert answer.status_code == 400, answer.text


async def test_a_webhook_that_is_off_is_not_sent_anything_again(room: WebhookRoom) -> None:
    made = await room.subscribe()
    await room.patch(made["id"], is_active=False)
    since = (room.clock.now() - timedelta(hours=1)).isoformat()
    async with room.world.client() as client:
        answer = await client.post("/webhook-deliveries-replays", json={"webhook_id": made["id"], "since": since})
    assert "webhook_id" in answer.json()["errors"]
    assert made["organization_id"] == OURS
