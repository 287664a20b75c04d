"""Support tickets over HTTP: what a ticket begins with, who may own it, and what may not be written."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest

from frontdesk.core.caller import Caller, Role
from frontdesk.core.clock import FakeClock
from frontdesk.core.door import Door
from tests.world import OURS, PASSWORD, THEIRS, World, email_of

TICKETS, MESSAGES = "/support-tickets", "/support-ticket-messages"
Row = dict[str, Any]


async def made(client: httpx.AsyncClient, world: World, **fields: object) -> Row:
    body = {"subject": "My invoice is wrong", **fields}
    if not {"contact_id", "contact_email"} & set(body):
        body["contact_id"] = await world.row("contacts", first_name="Ana", last_name="Torres", email="ana@example.com")
    answer = await client.post(TICKETS, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def agent(world: World, kind: str = "support-ticket", organization_id: int = OURS) -> int:
    return await world.row("ai-assistants", organization_id, assistant_type=kind)


async def refused(client: httpx.AsyncClient, path: str, body: Row, verb: str = "POST") -> Row:
    answer = await client.request(verb, path, json=body)
    assert answer.status_code == 400, answer.text
    return dict(answer.json()["errors"])


async def thread(client: httpx.AsyncClient, ticket: Row) -> list[Row]:
    page = (await client.get(f"{MESSAGES}?support_ticket_id={ticket['id']}&$limit=50")).json()
    return list(page["data"])


async def test_a_ticket_has_the_published_members(world: World) -> None:
    async with world.client() as client:
        ticket = await made(client, world, priority="high", tags=["billing", " VIP  customer ", "billing"])
    shown = {
        "organization_id": OURS, "inbox_channel_id": None, "channel": "api", "meta_inbox_channel_email": None,
        "meta_contact_first_name": "Ana", "meta_contact_last_name": "Torres", "meta_contact_email": "ana@example.com",
        "subject": "My invoice is wrong", "status": "open", "priority": "high", "tags": ["billing", "VIP customer"],
        "assigned_user_id": None, "assigned_ai_assistant_id": None, "thread_id": None, "last_message_at": None,
        "handoff_reason": None, "deleted_at": None,
    }  # fmt: skip
    assert shown.items() <= ticket.items()


async def test_the_first_message_comes_with_the_ticket_and_waits_for_a_decision(world: World) -> None:
    async with world.client() as client:
        ticket = await made(client, world, message_text="I was billed twice.")
        messages = await thread(client, ticket)
        decisions = (await client.get(f"/ai-decisions?conversation_id={ticket['id']}")).json()["data"]
    assert [(m["direction"], m["sender"], m["message_text"]) for m in messages] == [
        ("inbound", "contact", "I was billed twice.")
    ]
    assert messages[0]["support_ticket_id"] == ticket["id"]
    assert (ticket["last_message_at"], ticket["unread_count"]) == (messages[0]["created_at"], 1)
    assert [row["outcome"] for row in decisions] == ["pending"]


async def test_numbers_count_per_organization_and_year(world: World) -> None:
    async with world.client() as ours, world.client(organization_id=THEIRS) as theirs:
        numbers = [(await made(ours, world))["reference_number"] for _ in range(2)]
        contact = await world.row("contacts", THEIRS)
        numbers.append((await made(theirs, world, contact_id=contact))["reference_number"])
    year = world.door.clock.now().year
    assert numbers == [f"TK-{year}-001", f"TK-{year}-002", f"TK-{year}-001"]


async def test_twenty_at_once_leave_no_gap_where_some_fail(world: World) -> None:
    contact, caller = await world.row("contacts"), Caller(OURS, world.users[Role.member, OURS], Role.member)

    async def one(index: int) -> str | None:
        body = {"contact_id": contact, "subject": f"Case {index}"}
        try:
            async with world.database.transaction(OURS) as tx:
                ticket = await world.door.call(caller, "support-tickets", "create", data=body, tx=tx)
                if index % 4 == 3:
                    raise RuntimeError("after the number was taken")
                return str(ticket.value["reference_number"])
        except RuntimeError:
            return None

    numbers = sorted(filter(None, await asyncio.gather(*(one(index) for index in range(20)))))
    year = world.door.clock.now().year
    assert numbers == [f"TK-{year}-{n:03}" for n in range(1, 16)]


async def test_the_year_is_that_of_the_organizations_time_zone(world: World) -> None:
    async with world.client() as client:
        await client.patch(f"/organizations/{OURS}", json={"timezone": "Pacific/Auckland"})
    door = Door(world.database, world.registry, FakeClock(datetime(2026, 12, 31, 20, tzinfo=UTC)))
    caller, data = Caller(OURS, None, Role.member), {"contact_id": await world.row("contacts"), "subject": "x"}
    ticket = await door.call(caller, "support-tickets", "create", data=data)
    assert ticket.value["reference_number"] == "TK-2027-001"


async def test_a_contact_is_found_by_its_address_or_made(world: World) -> None:
    known = await world.row("contacts", email="ana@example.com")
    async with world.client(Role.member) as client:
        found = await made(client, world, contact_email="Ana@Example.com", contact_first_name="Somebody")
        new = await made(client, world, contact_email="bo@example.com", contact_first_name="Bo", contact_last_name="Li")
        again = await made(client, world, contact_email="bo@example.com")
    assert found["contact_id"] == known
    assert (new["meta_contact_first_name"], new["meta_contact_email"]) == ("Bo", "bo@example.com")
    assert again["contact_id"] == new["contact_id"] != known


async def test_two_forms_at_once_make_one_contact(world: World) -> None:
    async with world.client() as client:
        tickets = await asyncio.gather(*(made(client, world, contact_email="new@example.com") for _ in range(6)))
    assert len({ticket["contact_id"] for ticket in tickets}) == 1


async def test_a_mailbox_gives_its_channel_and_address(world: World) -> None:
    inbox = await world.row("inbox-channels", channel="email", address="help@example.com")
    async with world.client() as client:
        ticket = await made(client, world, inbox_channel_id=inbox, thread_id="<1@mail>")
        clash = {"subject": "x", "contact_id": ticket["contact_id"], "inbox_channel_id": inbox, "channel": "api"}
        errors = await refused(client, TICKETS, clash)
    assert (ticket["channel"], ticket["meta_inbox_channel_email"]) == ("email", "help@example.com")
    assert errors == {"channel": "must be email, the channel of inbox_channel_id"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"subject": None}, "subject"), ({"subject": " \t "}, "subject"), ({"subject": "x" * 301}, "subject"),
     ({"subject": "a\u0000b"}, "subject"), ({"contact_id": None}, "contact_id"),
     ({"contact_email": "ana@example.com"}, "contact_id"), ({"contact_id": 999_999}, "contact_id"),
     ({"contact_id": None, "contact_email": "nobody"}, "contact_email"), ({"priority": "top"}, "priority"),
     ({"status": "new"}, "status"), ({"channel": "whatsapp"}, "channel"), ({"tags": "billing"}, "tags"),
     ({"tags": [""]}, "tags"), ({"tags": ["x" * 61]}, "tags"), ({"tags": [str(n) for n in range(51)]}, "tags"),
     ({"tags": [7]}, "tags"), ({"inbox_channel_id": 999_999}, "inbox_channel_id"),
     ({"assigned_user_id": 999_999}, "assigned_user_id"), ({"message_text": "Hi", "status": "closed"}, "status"),
     ({"assigned_ai_assistant_id": 999_999}, "assigned_ai_assistant_id"), ({"colour": "red"}, "colour")],
)  # fmt: skip
async def test_what_a_ticket_may_not_begin_with(world: World, changes: Row, field: str) -> None:
    body = {"subject": "x", "contact_id": await world.row("contacts"), **changes}
    async with world.client() as client:
        errors = await refused(client, TICKETS, {name: value for name, value in body.items() if value is not None})
        count = (await client.get(f"{TICKETS}?$limit=0")).json()["total"]
    assert field in errors
    assert count == 0


@pytest.mark.parametrize("field", ["contact_id", "inbox_channel_id", "assigned_ai_assistant_id", "assigned_user_id"])
async def test_another_organizations_rows_are_not_there(world: World, field: str) -> None:
    theirs = {
        "contact_id": await world.row("contacts", THEIRS),
        "inbox_channel_id": await world.row("inbox-channels", THEIRS, channel="email"),
        "assigned_ai_assistant_id": await agent(world, organization_id=THEIRS),
        "assigned_user_id": world.users[Role.owner, THEIRS],
    }
    body = {"subject": "x", "contact_id": await world.row("contacts"), field: theirs[field]}
    async with world.client() as client:
        assert set(await refused(client, TICKETS, body)) == {field}


async def test_a_web_chat_is_no_mailbox(world: World) -> None:
    chat = await world.row("inbox-channels", channel="webchat")
    async with world.client() as client:
        body = {"subject": "x", "contact_id": await world.row("contacts"), "inbox_channel_id": chat}
        assert await refused(client, TICKETS, body) == {"inbox_channel_id": "names no mailbox"}


@pytest.mark.parametrize("kind", ["conversation", "ai-chat", "voice"])
async def test_only_assistants_for_tickets_work_tickets(world: World, kind: str) -> None:
    wrong = await agent(world, kind)
    async with world.client() as client:
        ticket = await made(client, world, assigned_ai_assistant_id=await agent(world))
        body = {"subject": "x", "contact_id": ticket["contact_id"], "assigned_ai_assistant_id": wrong}
        created = await refused(client, TICKETS, body)
        changed = await refused(client, f"{TICKETS}/{ticket['id']}", {"assigned_ai_assistant_id": wrong}, "PATCH")
    message = f"is an assistant of the type {kind}; a ticket takes one of the type support-ticket"
    assert created == changed == {"assigned_ai_assistant_id": message}


async def test_an_assistant_for_tickets_works_no_conversation(world: World) -> None:
    talk, helper = await world.row("conversations", channel="webchat"), await agent(world)
    trial = await world.row("conversations", channel="playground")
    async with world.client() as client:
        errors = await refused(client, f"/conversations/{talk}", {"assigned_ai_assistant_id": helper}, "PATCH")
        tried = await client.patch(f"/conversations/{trial}", json={"assigned_ai_assistant_id": helper})
    assert set(errors) == {"assigned_ai_assistant_id"}
    assert tried.status_code == 200


async def test_a_ticket_has_one_owner(world: World) -> None:
    user, helper = world.users[Role.member, OURS], await agent(world)
    both = {"assigned_user_id": user, "assigned_ai_assistant_id": helper}
    async with world.client() as client:
        ticket = await made(client, world, assigned_ai_assistant_id=helper)
        one = f"{TICKETS}/{ticket['id']}"
        body = {"subject": "x", "contact_id": ticket["contact_id"], **both}
        assert set(await refused(client, TICKETS, body)) == {"assigned_ai_assistant_id"}
        assert set(await refused(client, one, both, "PATCH")) == {"assigned_ai_assistant_id"}
        taken = (await client.patch(one, json={"assigned_user_id": user, "handoff_reason": "wants a person"})).json()
        back = (await client.patch(one, json={"assigned_ai_assistant_id": helper})).json()
    assert (taken["assigned_ai_assistant_id"], taken["handoff_reason"]) == (None, "wants a person")
    assert (taken["handed_off_by_ai_assistant_id"], taken["epoch"]) == (helper, 2)
    assert (back["assigned_user_id"], back["handoff_reason"], back["epoch"]) == (None, None, 3)


@pytest.mark.parametrize(
    ("steps", "epoch", "episode"),
    [(["pending"], 1, 1), (["resolved"], 2, 1), (["closed"], 2, 1), (["resolved", "closed"], 2, 1),
     (["resolved", "open"], 3, 2), (["closed", "pending"], 3, 2), (["pending", "open", "resolved"], 2, 1)],
)  # fmt: skip
async def test_an_episode_ends_by_resolving_or_closing(
    world: World, steps: list[str], epoch: int, episode: int
) -> None:
    async with world.client() as client:
        one = f"{TICKETS}/{(await made(client, world))['id']}"
        for status in steps:
            ticket = (await client.patch(one, json={"status": status})).json()
    assert (ticket["status"], ticket["epoch"], ticket["episode"]) == (steps[-1], epoch, episode)
    assert (ticket["ai_context_cut"] is not None) == (episode == 2)


async def test_what_a_ticket_was_made_with_stays(world: World) -> None:
    other = await world.row("contacts")
    async with world.client() as client:
        ticket = await made(client, world)
        changed = await client.patch(
            f"{TICKETS}/{ticket['id']}", json={"contact_id": other, "channel": "email", "reference_number": "TK-1"}
        )
    assert changed.status_code == 200
    same = ("contact_id", "channel", "reference_number")
    assert [changed.json()[name] for name in same] == [ticket[name] for name in same]


async def test_tickets_and_conversations_do_not_mix(world: World) -> None:
    talk = await world.row("conversations", channel="webchat")
    async with world.client() as client:
        ticket = await made(client, world, message_text="Hello")
        tickets, talks = (await client.get(TICKETS)).json(), (await client.get("/conversations")).json()
        crossed = [
            (await client.get(f"/conversations/{ticket['id']}")).status_code,
            (await client.patch(f"/conversations/{ticket['id']}", json={"status": "closed"})).status_code,
            (await client.delete(f"/conversations/{ticket['id']}")).status_code,
            (await client.get(f"{TICKETS}/{talk}")).status_code,
        ]
        message = {"conversation_id": ticket["id"], "message_text": "x"}
        errors = await refused(client, "/conversation-messages-transform-outgoing-webchat", message)
    assert [row["id"] for row in tickets["data"]] == [ticket["id"]]
    assert [row["id"] for row in talks["data"]] == [talk]
    assert "subject" not in talks["data"][0]
    assert crossed == [404] * 4
    assert set(errors) == {"conversation_id"}


async def test_the_list_is_newest_first_and_filtered(world: World) -> None:
    user, helper = world.users[Role.member, OURS], await agent(world)
    async with world.client() as client:
        ids = [
            (await made(client, world, **fields))["id"]
            for fields in (
                {"assigned_user_id": user, "tags": ["vip", "billing"]},
                {"assigned_ai_assistant_id": helper, "priority": "urgent"},
                {"status": "pending", "thread_id": "t-1"},
            )
        ]

        async def found(query: str) -> list[int]:
            return [ids.index(row["id"]) for row in (await client.get(f"{TICKETS}?{query}")).json()["data"]]

        assert await found("") == [2, 1, 0]
        assert await found("$sort[created_at]=1") == [0, 1, 2]
        assert await found(f"assigned_user_id={user}") == [0]
        assert await found(f"assigned_ai_assistant_id={helper}&priority=urgent") == [1]
        assert await found("assigned_user_id=null&assigned_ai_assistant_id=null") == [2]
        assert await found("status[$in][]=pending&status[$in][]=closed") == [2]
        assert await found("tag=vip") == [0]
        assert await found("thread_id=t-1") == [2]
        assert await found("tag=nothing") == []


async def login(world: World) -> str:
    body = {"strategy": "local", "email": email_of(Role.member), "password": PASSWORD}
    async with world.client(None) as client:
        return str((await client.post("/authentication", json=body)).json()["accessToken"])


async def test_a_reply_by_a_login_takes_over_and_a_key_does_not(world: World) -> None:
    helper, token = await agent(world), await login(world)
    async with world.client() as client, world.client(None, authorization=f"Bearer {token}") as person:
        ticket = await made(client, world, assigned_ai_assistant_id=helper)
        one, body = f"{TICKETS}/{ticket['id']}", {"support_ticket_id": ticket["id"], "message_text": "Hello."}
        await client.post(MESSAGES, json=body)
        await person.post(MESSAGES, json={**body, "message_type": "note"})
        before = (await client.get(one)).json()
        sent = await person.post(MESSAGES, json=body)
        after = (await client.get(one)).json()
    assert (before["assigned_ai_assistant_id"], before["epoch"]) == (helper, 1)
    assert (sent.status_code, sent.json()["sender"], sent.json()["direction"]) == (201, "user", "outbound")
    assert (after["assigned_user_id"], after["epoch"]) == (world.users[Role.member, OURS], 2)
    assert after["handed_off_by_ai_assistant_id"] == helper


async def test_a_note_is_no_message_to_the_customer(world: World) -> None:
    async with world.client() as client:
        ticket = await made(client, world)
        body = {"support_ticket_id": ticket["id"], "message_text": "Careful.", "message_type": "note"}
        note = (await client.post(MESSAGES, json=body)).json()
        after = (await client.get(f"{TICKETS}/{ticket['id']}")).json()
    assert (note["message_type"], note["status"]) == ("note", "stored")
    assert after["last_message_at"] is None


async def test_an_inbound_is_stored_once_and_opens_what_was_over(world: World) -> None:
    async with world.client() as client:
        ticket = await made(client, world)
        one = f"{TICKETS}/{ticket['id']}"
        await client.patch(one, json={"status": "resolved"})
        body = {"support_ticket_id": ticket["id"], "message_text": "Still wrong.", "direction": "inbound"}
        ids = [(await client.post(MESSAGES, json={**body, "external_id": "form-1"})).json()["id"] for _ in range(2)]
        opened = (await client.get(one)).json()
        await client.patch(one, json={"status": "pending"})
        await client.post(MESSAGES, json=body)
        again = (await client.get(one)).json()
    assert ids[0] == ids[1]
    assert (opened["status"], opened["episode"], opened["unread_count"]) == ("open", 2, 1)
    assert (again["status"], again["episode"], again["unread_count"]) == ("open", 2, 2)


async def test_the_same_external_id_in_two_tickets_is_two_messages(world: World) -> None:
    async with world.client() as client:
        for _ in range(2):
            ticket = await made(client, world)
            body = {"support_ticket_id": ticket["id"], "message_text": "Hi", "direction": "inbound", "external_id": "1"}
            assert (await client.post(MESSAGES, json=body)).json()["support_ticket_id"] == ticket["id"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"support_ticket_id": None}, "support_ticket_id"), ({"support_ticket_id": 999_999}, "support_ticket_id"),
     ({"message_text": None}, "message_text"), ({"message_text": " \n"}, "message_text"),
     ({"message_text": "a\u0000b"}, "message_text"), ({"message_type": "image"}, "message_type"),
     ({"message_type": "note", "direction": "inbound"}, "message_type"), ({"direction": "sideways"}, "direction"),
     ({"external_id": "x"}, "external_id"), ({"direction": "inbound", "takeover": True}, "takeover")],
)  # fmt: skip
async def test_what_may_not_be_written_into_a_ticket(world: World, changes: Row, field: str) -> None:
    async with world.client() as client:
        ticket = await made(client, world)
        body = {"support_ticket_id": ticket["id"], "message_text": "Hello", **changes}
        errors = await refused(client, MESSAGES, {name: value for name, value in body.items() if value is not None})
        assert await thread(client, ticket) == []
    assert set(errors) == {field}


async def test_nobody_writes_into_another_organizations_ticket_or_a_conversation(world: World) -> None:
    theirs = await world.row("support-tickets", THEIRS)
    talk = await world.row("conversations", channel="webchat")
    async with world.client() as client:
        for id in (theirs, talk):
            body = {"support_ticket_id": id, "message_text": "Hello"}
            assert await refused(client, MESSAGES, body) == {"support_ticket_id": "names no row of support-tickets"}
        page = (await client.get(f"{MESSAGES}?support_ticket_id={theirs}")).json()
    assert page["total"] == 0


async def test_a_member_deletes_neither_ticket_nor_message(world: World) -> None:
    async with world.client(Role.member) as client, world.client(Role.admin) as admin:
        ticket = await made(client, world, message_text="Hello")
        message = (await thread(client, ticket))[0]
        paths = [f"{MESSAGES}/{message['id']}", f"{TICKETS}/{ticket['id']}"]
        assert [(await client.delete(path)).status_code for path in paths] == [403, 403]
        gone = [(await admin.delete(path)).json()["deleted_at"] for path in paths]
        assert all(gone)
        assert [(await client.get(path)).status_code for path in paths] == [404, 404]
        body = {"support_ticket_id": ticket["id"], "message_text": "Hello"}
        assert await refused(client, MESSAGES, body) == {"support_ticket_id": "names no row of support-tickets"}


async def test_each_write_leaves_an_event_of_the_ticket(world: World) -> None:
    async with world.client() as client:
        ticket = await made(client, world, message_text="Hello")
        await client.patch(f"{TICKETS}/{ticket['id']}", json={"priority": "low"})
    async with world.database.system() as connection:
        rows = await connection.fetch("SELECT name FROM events WHERE resource LIKE 'support-%' ORDER BY xid, id")
    assert [row["name"] for row in rows] == [
        "support-tickets.created", "support-ticket-messages.created", "support-tickets.updated",
    ]  # fmt: skip


async def test_two_changes_of_the_same_version_lose_nothing(world: World) -> None:
    async with world.client() as client:
        one = f"{TICKETS}/{(await made(client, world))['id']}"
        first = await client.patch(one, json={"priority": "low"}, headers={"if-match": "1"})
        second = await client.patch(one, json={"priority": "urgent"}, headers={"if-match": "1"})
        stored = (await client.get(one)).json()
    assert [first.status_code, second.status_code, stored["priority"]] == [200, 409, "low"]


async def test_a_search_finds_number_subject_contact_and_messages(world: World) -> None:
    zoe = await world.row("contacts", first_name="Zoë", email="zoe@example.com")
    async with world.client() as client:
        ids = [
            (await made(client, world, subject="Crédito por 50% de más", message_text="El número 4711"))["id"],
            (await made(client, world, subject="Login fails", contact_id=zoe))["id"],
        ]
        number = (await client.get(f"{TICKETS}/{ids[1]}")).json()["reference_number"]

        async def found(query: str) -> list[int]:
            page = (await client.get(TICKETS, params=dict([query.split("=", 1)]))).json()
            return [ids.index(row["id"]) for row in page["data"]]

        assert await found("searchTerm=credito 50%") == [0]
        assert await found("searchTerm=credito 60%") == []
        assert await found(f"searchTerm={number.lower()} ") == [1]
        assert await found("searchTerm=zoe@example") == [1]
        assert await found("messageSearchTerm=4711") == [0]
        assert await found("waitingResponseOnly=true") == [0]
        assert await found("searchTerm=") == [1, 0]


async def test_another_organizations_subjects_are_not_found(world: World) -> None:
    await world.row("support-tickets", THEIRS, subject="Secret merger")
    async with world.client() as client:
        assert (await client.get(f"{TICKETS}?searchTerm=merger")).json()["total"] == 0


async def test_a_ticket_is_never_without_its_number(world: World) -> None:
    ticket = await world.row("support-tickets")
    async with world.database.system() as connection:
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute("UPDATE conversations SET reference_number = NULL WHERE id = $1", ticket)


@pytest.mark.parametrize(("channel", "kind"), [("email", "conversation"), ("webchat", "support-ticket")])
async def test_a_channel_takes_an_assistant_of_its_type(world: World, channel: str, kind: str) -> None:
    body = {"channel": channel, "name": "Help", "ai_assistant_id": await agent(world, kind)}
    inbox = await world.row("inbox-channels", channel=channel)
    async with world.client() as client:
        created = await refused(client, "/inbox-channels", body)
        changed = await refused(
            client, f"/inbox-channels/{inbox}", {"ai_assistant_id": body["ai_assistant_id"]}, "PATCH"
        )
    assert set(created) == set(changed) == {"ai_assistant_id"}


async def test_a_merge_of_contacts_takes_the_tickets_along_and_tells_of_them(world: World) -> None:
    kept, gone = await world.row("contacts", first_name="Kept"), await world.row("contacts")
    async with world.client() as client:
        ticket = await made(client, world, contact_id=gone)
        merged = await client.post("/contact-merges", json={"contact_id": kept, "merged_contact_id": gone})
        after = (await client.get(f"{TICKETS}/{ticket['id']}")).json()
    async with world.database.system() as connection:
        names = await connection.fetch(
            "SELECT name FROM events WHERE row_id = $1 AND resource <> 'contacts'", ticket["id"]
        )
    assert merged.status_code == 201
    assert (after["contact_id"], after["meta_contact_first_name"]) == (kept, "Kept")
    assert {row["name"] for row in names} >= {"support-tickets.created", "support-tickets.updated"}
    assert "conversations.updated" not in {row["name"] for row in names}


async def test_a_close_and_a_message_at_once_leave_a_whole_ticket(world: World) -> None:
    async with world.client() as client:
        for n in range(5):
            ticket = await made(client, world)
            one, body = f"{TICKETS}/{ticket['id']}", {"support_ticket_id": ticket["id"], "message_text": f"Case {n}"}
            answers = await asyncio.gather(
                client.patch(one, json={"status": "closed"}),
                client.post(MESSAGES, json={**body, "direction": "inbound"}),
            )
            after = (await client.get(one)).json()
            assert [answer.status_code for answer in answers] == [200, 201]
            assert (after["status"], after["episode"], after["epoch"]) in (("open", 2, 3), ("closed", 1, 2))
            assert (after["unread_count"], after["last_position"]) == (1, 1)
