"""From an event to a receiver: signed, once, again after failures, and never at the cost of another webhook."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from frontdesk.core.database import Database
from frontdesk.core.egress import Guard
from frontdesk.runtime import webhook_post
from frontdesk.runtime.webhook_post import Answer, WebhookPost
from frontdesk.runtime.webhooks import PAUSES
from tests.event_reading import events_until
from tests.webhook_receiver import is_signed
from tests.webhook_room import WebhookRoom, webhook_room
from tests.world import OURS, THEIRS

BROKEN = PlainTextResponse("no", 500)
FINE = PlainTextResponse("thanks")


@pytest.fixture
async def room(database: Database, tmp_path: Path) -> AsyncIterator[WebhookRoom]:
    async with webhook_room(database, tmp_path) as room:
        yield room


async def test_an_event_arrives_signed_with_its_row(room: WebhookRoom) -> None:
    made = await room.subscribe("contacts.created")
    contact_id = await room.make_contact()
    await room.ring()
    (got,) = room.receiver.got
    body = json.loads(got.body)
    assert (body["type"], body["organization_id"]) == ("contacts.created", OURS)
    assert (body["data"]["id"], body["data"]["created_at"]) == (contact_id, body["timestamp"])
    assert body["id"] == got.event_id
    assert is_signed(got, str(made["secret"]))
    assert not is_signed(got, "whsec_" + "A" * 44)


async def test_a_delivery_tells_what_became_of_it(room: WebhookRoom) -> None:
    await room.subscribe("contacts.created")
    await room.make_contact()
    await room.ring()
    (delivery,) = await room.deliveries(withPayload="true")
    names = ("status", "attempts", "last_status_code", "last_error", "last_response", "event_name")
    assert [delivery[name] for name in names] == ["delivered", 1, 200, None, "thanks", "contacts.created"]
    assert delivery["delivered_at"] is not None
    assert delivery["payload"]["data"]["first_name"] == "Marta"  # type: ignore[index, call-overload]
    assert "payload" not in (await room.deliveries())[0]


async def test_only_what_was_subscribed_since_it_was_subscribed_is_sent(room: WebhookRoom) -> None:
    await room.make_contact("Before")
    await room.subscribe("contacts.created")
    await room.subscribe("*.deleted", "webhooks.disabled")
    await room.make_contact("After")
    await room.ring()
    assert [json.loads(got.body)["data"]["first_name"] for got in room.receiver.got] == ["After"]


async def test_each_organization_hears_of_itself(room: WebhookRoom) -> None:
    await room.subscribe("*")
    async with room.world.client(organization_id=THEIRS) as client:
        await client.post("/contacts", json={"first_name": "Theirs"})
    await events_until(room.world.database, THEIRS, "contacts.created")
    await room.ring()
    assert {json.loads(got.body)["organization_id"] for got in room.receiver.got} <= {OURS}


async def test_all_events_do_not_hear_of_their_own_deliveries(room: WebhookRoom) -> None:
    await room.subscribe("*")
    await room.make_contact()
    for _ in range(3):
        await room.pass_time(minutes=1)
    types = [json.loads(got.body)["type"] for got in room.receiver.got]
    assert [name for name in types if name != "webhooks.created"] == ["contacts.created"]


async def test_two_dispatchers_make_each_delivery_once(room: WebhookRoom) -> None:
    await room.subscribe("contacts.created")
    for i in range(12):
        await room.make_contact(f"Contact {i}")
    for _ in range(20):
        await asyncio.gather(*(room.dispatch.copy(page=3) for _ in range(4)))
    deliveries = await room.deliveries()
    assert len(deliveries) == len({delivery["event_id"] for delivery in deliveries}) == 12


async def test_two_workers_send_each_delivery_once(room: WebhookRoom) -> None:
    made = await room.subscribe("contacts.created")
    for i in range(20):
        await room.make_contact(f"Contact {i}")
    await room.dispatch.copy()
    other = room.another_worker()
    await asyncio.gather(*(each.deliver(OURS, int(str(made["id"]))) for each in (room.sender, other, room.sender)))
    await other.close()
    assert len({got.event_id for got in room.receiver.got}) == len(room.receiver.got) == 20


async def test_a_failure_is_tried_again_with_the_same_id_and_a_new_timestamp(room: WebhookRoom) -> None:
    made = await room.subscribe("contacts.created")
    room.receiver.answers = [BROKEN, FINE]
    await room.make_contact()
    await room.ring()
    (delivery,) = await room.deliveries()
    assert (delivery["status"], delivery["last_error"]) == ("failed", "It answered with 500.")
    await room.pass_time(seconds=4)
    assert len(room.receiver.got) == 1
    await room.pass_time(seconds=3)
    first, second = room.receiver.got
    assert first.event_id == second.event_id
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    assert is_signed(second, str(made["secret"]))
    assert (await room.deliveries())[0]["status"] == "delivered"


async def test_what_never_arrives_is_given_up_after_the_last_pause(room: WebhookRoom) -> None:
    await room.subscribe("contacts.created")
    room.receiver.answers = [BROKEN]
    await room.make_contact()
    await room.ring()
    for pause in PAUSES:
        await room.pass_time(seconds=pause * 1.2 + 1)
    (delivery,) = await room.deliveries()
    assert (delivery["status"], delivery["attempts"]) == ("dead", len(PAUSES) + 1)
    await room.pass_time(days=2)
    assert len(room.receiver.got) == len(PAUSES) + 1


async def test_a_receiver_may_ask_for_a_longer_pause(room: WebhookRoom) -> None:
    await room.subscribe("contacts.created")
    room.receiver.answers = [PlainTextResponse("later", 503, {"retry-after": "600"}), FINE]
    await room.make_contact()
    await room.ring()
    await room.pass_time(seconds=300)
    assert len(room.receiver.got) == 1
    await room.pass_time(seconds=400)
    assert len(room.receiver.got) == 2


async def test_a_redirect_is_a_failure_and_is_not_followed(room: WebhookRoom) -> None:
    await room.subscribe("contacts.created")
    room.receiver.answers = [RedirectResponse(f"{room.receiver.url}/elsewhere")]
    await room.make_contact()
    await room.ring()
    assert len(room.receiver.got) == 1
    assert (await room.deliveries())[0]["last_error"] == "It answered with 307."


async def test_a_name_that_leads_to_a_private_address_is_not_called(room: WebhookRoom) -> None:
    room.sender.post = WebhookPost(Guard())
    await room.subscribe("contacts.created", url=room.receiver.url.replace("http://127.0.0.1", "https://localhost"))
    await room.make_contact()
    await room.ring()
    (delivery,) = await room.deliveries()
    assert (delivery["status"], delivery["last_status_code"]) == ("failed", None)
    assert "not public" in str(delivery["last_error"])
    assert room.receiver.got == []


async def test_nobody_listens(room: WebhookRoom) -> None:
    await room.subscribe("contacts.created", url="http://127.0.0.1:9/hook?token=geheim")
    await room.make_contact()
    await room.ring()
    (delivery,) = await room.deliveries()
    assert "connection could not be made" in str(delivery["last_error"])
    assert "geheim" not in json.dumps(delivery)


async def test_a_long_answer_is_cut_and_counts_as_arrived(room: WebhookRoom) -> None:
    await room.subscribe("contacts.created")
    room.receiver.answers = [PlainTextResponse("\0é" * 200_000)]
    await room.make_contact()
    await room.ring()
    (delivery,) = await room.deliveries()
    assert (delivery["status"], delivery["last_response"]) == ("delivered", "é" * 1000)


async def test_after_a_rotation_both_secrets_sign_for_a_day(room: WebhookRoom) -> None:
    made = await room.subscribe("contacts.created")
    rotated = await room.patch(made["id"], rotate_secret=True)
    await room.make_contact()
    await room.ring()
    await room.make_contact()
    await room.pass_time(hours=25)
    first, second = room.receiver.got
    assert [is_signed(first, str(each["secret"])) for each in (made, rotated)] == [True, True]
    assert [is_signed(second, str(each["secret"])) for each in (made, rotated)] == [False, True]


async def test_a_webhook_that_only_fails_for_days_is_switched_off_and_says_so(room: WebhookRoom) -> None:
    made = await room.subscribe("contacts.created")
    room.receiver.answers = [BROKEN]
    await room.make_contact()
    await room.ring()
    assert (await room.webhook(made["id"]))["failing_since"] is not None
    await room.make_contact()
    await room.pass_time(days=3, hours=1)
    webhook = await room.webhook(made["id"])
    assert (webhook["is_active"], webhook["disabled_reason"]) == (False, "Nothing has arrived for 3 days.")
    assert {delivery["status"] for delivery in await room.deliveries()} == {"dead"}
    (event,) = (e for e in await events_until(room.world.database, OURS, "webhooks.disabled") if "disabled" in e.name)
    assert json.loads(event.data)["reason"] == webhook["disabled_reason"]


async def test_one_arrival_ends_the_count_of_days(room: WebhookRoom) -> None:
    made = await room.subscribe("contacts.created")
    room.receiver.answers = [BROKEN, FINE]
    await room.make_contact()
    await room.ring()
    await room.pass_time(days=3, hours=1)
    webhook = await room.webhook(made["id"])
    assert (webhook["is_active"], webhook["failing_since"]) == (True, None)


async def test_gone_switches_it_off_at_once_and_on_again_begins_anew(room: WebhookRoom) -> None:
    made = await room.subscribe("contacts.created")
    room.receiver.answers = [PlainTextResponse("bye", 410), FINE]
    await room.make_contact()
    await room.ring()
    assert (await room.webhook(made["id"]))["disabled_reason"] == "The receiver answered 410 Gone."
    await room.patch(made["id"], is_active=True)
    await room.make_contact("Back")
    await room.ring()
    assert (await room.webhook(made["id"]))["disabled_reason"] is None
    assert b"Back" in room.receiver.got[-1].body


@pytest.mark.parametrize("how", ["deleted", "switched off"])
async def test_what_waits_for_a_webhook_that_is_no_more_is_given_up(room: WebhookRoom, how: str) -> None:
    made = await room.subscribe("contacts.created")
    await room.make_contact()
    await room.dispatch.copy()
    async with room.world.client() as client:
        if how == "deleted":
            await client.delete(f"/webhooks/{made['id']}")
        else:
            await client.patch(f"/webhooks/{made['id']}", json={"is_active": False})
    await room.ring()
    assert room.receiver.got == []
    assert [delivery["status"] for delivery in await room.deliveries()] == ["dead"]


async def test_a_worker_that_is_killed_leaves_its_delivery_to_the_next_one(room: WebhookRoom) -> None:
    made = await room.subscribe("contacts.created")
    never = asyncio.Event()

    async def hang(_: Request) -> Response:
        await never.wait()
        return FINE

    room.receiver.answers = [hang, FINE]
    await room.make_contact()
    await room.dispatch.copy()
    killed = asyncio.create_task(room.sender.deliver(OURS, int(str(made["id"]))))
    async with asyncio.timeout(60):
        await room.receiver.arrived.wait()
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    never.set()
    await room.ring()
    assert len(room.receiver.got) == 1
    await room.pass_time(minutes=1)
    first, second = room.receiver.got
    assert first.event_id == second.event_id
    assert (await room.deliveries())[0]["status"] == "delivered"


async def test_a_slow_receiver_holds_up_nobody_else(room: WebhookRoom) -> None:
    slow = await room.subscribe("contacts.created", url=f"{room.receiver.url}/slow")
    fast = await room.subscribe("contacts.created", url=f"{room.receiver.url}/fast")
    never = asyncio.Event()

    async def by_path(request: Request) -> Response:
        if request.url.path == "/slow":
            await never.wait()
        return FINE

    room.receiver.answers = [by_path]
    for i in range(30):
        await room.make_contact(f"Contact {i}")
    await room.dispatch.copy()
    waiting = asyncio.create_task(room.sender.deliver(OURS, int(str(slow["id"]))))
    await room.sender.deliver(OURS, int(str(fast["id"])))
    statuses = [delivery["status"] for delivery in await room.deliveries(webhook_id=str(fast["id"]))]
    never.set()
    await waiting
    assert statuses == ["delivered"] * 30


async def test_no_connection_is_held_while_a_receiver_is_waited_for(room: WebhookRoom) -> None:
    made = await room.subscribe("contacts.created")
    seen: list[int] = []

    async def look(_: Request) -> Response:
        async with room.world.database.system() as connection:
            count = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = $1"
            seen.append(await connection.fetchval(count, await connection.fetchval("SELECT current_database()")))
        return FINE

    room.receiver.answers = [look]
    await room.make_contact()
    await room.dispatch.copy()
    await room.sender.deliver(OURS, int(str(made["id"])))
    assert seen == [0]


async def test_an_answer_that_does_not_come_ends_the_attempt(
    room: WebhookRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_post, "SECONDS", 0.2)
    never = asyncio.Event()

    async def hang(_: Request) -> Response:
        await never.wait()
        return FINE

    room.receiver.answers = [hang]
    made = await room.subscribe("contacts.created")
    await room.make_contact()
    await room.dispatch.copy()
    await room.sender.deliver(OURS, int(str(made["id"])))
    never.set()
    assert "no answer within" in str((await room.deliveries())[0]["last_error"])


async def test_old_deliveries_and_events_are_forgotten_in_batches(room: WebhookRoom) -> None:
    await room.subscribe("contacts.created")
    for i in range(3):
        await room.make_contact(f"Contact {i}")
    await room.ring()
    await room.clock.advance(31 * 24 * 3600)
    await room.dispatch.purge(most=2)
    assert await room.deliveries() == []
    async with room.world.database.system() as connection:
        assert await connection.fetchval("SELECT count(*) FROM events") == 0


@pytest.mark.parametrize(("attempts", "least"), list(enumerate(PAUSES, 1)))
def test_pauses_grow_and_are_never_shorter_than_said(attempts: int, least: int, room: WebhookRoom) -> None:
    pauses = {room.sender._pause(attempts, 0) for _ in range(20)}
    assert least <= min(pauses) <= max(pauses) <= least * 1.2
    assert len(pauses) > 1
    assert Answer(200, 3).has_arrived
