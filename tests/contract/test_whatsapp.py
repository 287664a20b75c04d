"""WhatsApp templates, sending them, and writing to somebody first."""

from __future__ import annotations

import httpx
import pytest

from frontdesk.core.caller import Role
from tests.world import THEIRS, World

TEMPLATES = "/whatsapp-templates"
SEND = "/conversation-messages-transform-outgoing-whatsapp"
INITIATE = "/conversations-initiate-whatsapp"
BODY = {"name": "reminder", "language": "en", "body": "Hello {{1}}, see you on {{2}}.", "status": "approved"}


async def account(world: World, organization_id: int = 1, **fields: object) -> int:
    return await world.row("inbox-channels", organization_id, channel="whatsapp", **fields)  # type: ignore[arg-type]


async def create(world: World, inbox_channel_id: int, **fields: object) -> httpx.Response:
    async with world.client() as client:
        return await client.post(TEMPLATES, json={**BODY, "inbox_channel_id": inbox_channel_id, **fields})


async def template(world: World, inbox_channel_id: int, **fields: object) -> int:
    answer = await create(world, inbox_channel_id, **fields)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def post(world: World, path: str, **body: object) -> httpx.Response:
    async with world.client() as client:
        return await client.post(path, json=body)


@pytest.mark.parametrize(
    ("body", "names"),
    [("Hello.", []), ("{{2}} {{1}} {{2}}", ["1", "2"]), ("{{ name }}, {{day}}", ["name", "day"]),
     ("".join(f"{{{{{i}}}}}" for i in range(1, 12)), [str(i) for i in range(1, 12)])],
)  # fmt: skip
async def test_variables_are_listed(world: World, body: str, names: list[str]) -> None:
    assert (await create(world, await account(world), body=body)).json()["variables"] == names


async def test_variables_of_header_and_buttons_count_too(world: World) -> None:
    button = {"type": "url", "text": "Track", "url": "https://t.example/{{code}}"}
    answer = await create(world, await account(world), body="Hi {{name}}", header="{{shop}}", buttons=[button])
    assert answer.json()["variables"] == ["shop", "name", "code"]


@pytest.mark.parametrize(
    ("fields", "name"),
    [({"name": "Hello World"}, "name"), ({"language": "english"}, "language"), ({"category": "spam"}, "category"),
     ({"status": "fine"}, "status"), ({"body": "x" * 1025}, "body"), ({"body": "{{1}} {{name}}"}, "body"),
     ({"body": "{{1}} {{3}}"}, "body"), ({"header": "{{a}} {{b}}"}, "header"), ({"footer": "{{a}}"}, "footer"),
     ({"buttons": [{"type": "dance"}]}, "buttons"), ({"buttons": [{"type": "url", "text": "x"}]}, "buttons"),
     ({"buttons": [{"type": "quick_reply", "text": "x"}] * 11}, "buttons")],
    ids=lambda value: None if isinstance(value, dict) else value,
)  # fmt: skip
async def test_what_whatsapp_would_refuse_names_its_field(world: World, fields: dict[str, object], name: str) -> None:
    answer = await create(world, await account(world), **fields)
    assert answer.status_code == 400, answer.text
    assert name in answer.json()["errors"]


async def test_a_template_belongs_to_a_whatsapp_account(world: World) -> None:
    for id in (await world.row("inbox-channels"), await account(world, THEIRS), 999_999):
        answer = await create(world, id)
        assert (answer.status_code, set(answer.json()["errors"])) == (400, {"inbox_channel_id"})


async def test_name_and_language_are_taken_once_per_account(world: World) -> None:
    first, second = await account(world), await account(world)
    await template(world, first)
    assert (await create(world, first)).status_code == 409
    await template(world, first, language="es_MX")
    await template(world, second)


async def test_templates_go_with_their_account(world: World) -> None:
    id = await account(world)
    one = await template(world, id)
    async with world.client() as client:
        await client.delete(f"/inbox-channels/{id}")
        assert (await client.get(f"{TEMPLATES}/{one}")).status_code == 404


async def talk(world: World, inbox_channel_id: int) -> int:
    return await world.row("conversations", channel="whatsapp", inbox_channel_id=inbox_channel_id)


@pytest.mark.parametrize("values", [["Luis", "Monday"], {"1": "Luis", "2": "Monday"}, ["Luis", 5]], ids=str)
async def test_a_template_is_sent_by_id_outside_the_window(world: World, values: object) -> None:
    id = await account(world)
    answer = await post(
        world, SEND, conversation_id=await talk(world, id), message_type="template",
        template_id=await template(world, id), template_values=values,
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    assert answer.json()["message_text"].startswith("Hello Luis, see you on ")
    assert answer.json()["template"]["name"] == "reminder"


async def test_a_template_is_sent_by_name_and_language(world: World) -> None:
    id = await account(world)
    await template(world, id)
    await template(world, id, language="es", body="Hola {{1}}")
    named = {"template_name": "reminder", "template_language": "es", "template_values": ["Ana"]}
    answer = await post(world, SEND, conversation_id=await talk(world, id), message_type="template", **named)
    assert answer.json()["message_text"] == "Hola Ana"


@pytest.mark.parametrize(
    ("values", "name"),
    [(None, "template_values.1"), (["Luis"], "template_values"), (["a", "b", "c"], "template_values"),
     ({"1": "Luis"}, "template_values.2"), ({"1": "a", "2": "b", "3": "c"}, "template_values.3"),
     ({"1": "a", "2": " "}, "template_values.2"), ([["a"], "b"], "template_values"), ("Luis", "template_values")],
    ids=str,
)  # fmt: skip
async def test_wrong_and_missing_variables_are_named(world: World, values: object, name: str) -> None:
    id = await account(world)
    body = {"conversation_id": await talk(world, id), "message_type": "template", "template_values": values}
    answer = await post(world, SEND, template_id=await template(world, id), **body)
    assert answer.status_code == 400, answer.text
    assert name in answer.json()["errors"]


@pytest.mark.parametrize("status", ["pending", "rejected", "paused"])
async def test_only_an_approved_template_is_sent(world: World, status: str) -> None:
    id = await account(world)
    one = await template(world, id, status=status, body="Hello.")
    answer = await post(world, SEND, conversation_id=await talk(world, id), message_type="template", template_id=one)
    assert (answer.status_code, answer.json()["data"]["code"]) == (422, "template_not_approved")


async def test_a_template_of_another_account_is_none(world: World) -> None:
    one = await template(world, await account(world), body="Hello.")
    id = await talk(world, await account(world))
    answer = await post(world, SEND, conversation_id=id, message_type="template", template_id=one)
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"template_id"})


async def test_writing_first_opens_a_conversation_and_goes_on_in_it(world: World) -> None:
    id = await account(world)
    contact = await world.row("contacts", phone="600 111 222", phone_country_code="+34")
    body = {"contact_id": contact, "template_id": await template(world, id), "template_values": ["Luis", "Monday"]}
    first, again = await post(world, INITIATE, **body), await post(world, INITIATE, **body)
    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert first.json()["conversation_id"] == again.json()["conversation_id"]
    async with world.client() as client:
        opened = (await client.get(f"/conversations/{first.json()['conversation_id']}")).json()
    assert (opened["contact_id"], opened["contact_address"], opened["channel"]) == (contact, "34600111222", "whatsapp")
    assert first.json()["status"] == "pending"


async def test_writing_first_to_a_number_makes_its_contact(world: World) -> None:
    id = await account(world)
    body = {"phone": "+34 600-111-222", "template_id": await template(world, id, body="Hello.")}
    sent = (await post(world, INITIATE, **body)).json()
    async with world.client() as client:
        contact = (await client.get(f"/conversations/{sent['conversation_id']}")).json()["contact_id"]
        assert (await client.get(f"/contacts/{contact}")).json()["phone"] == "+34600111222"


@pytest.mark.parametrize(
    ("phone", "code", "name"),
    [("600111222", None, "contact_id"), (None, None, "contact_id"), ("12", "+34", "contact_id")], ids=str
)  # fmt: skip
async def test_a_contact_whose_number_cannot_be_reached(
    world: World, phone: str | None, code: str | None, name: str
) -> None:
    id = await account(world)
    contact = await world.row("contacts", phone=phone, phone_country_code=code)
    answer = await post(world, INITIATE, contact_id=contact, template_id=await template(world, id, body="Hello."))
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {name})


@pytest.mark.parametrize(
    ("body", "name"),
    [({}, "contact_id"), ({"phone": "600111222"}, "phone"), ({"phone": "+3412"}, "phone"),
     ({"phone": "+34600111222", "contact_id": 1}, "contact_id"), ({"contact_id": 999_999}, "contact_id"),
     ({"phone": "+34600111222", "inbox_channel_id": 999_999}, "inbox_channel_id")],
    ids=str,
)  # fmt: skip
async def test_writing_first_names_what_is_wrong(world: World, body: dict[str, object], name: str) -> None:
    one = await template(world, await account(world), body="Hello.")
    answer = await post(world, INITIATE, template_id=one, **body)
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {name})


async def test_with_several_accounts_one_must_be_named(world: World) -> None:
    first, _ = await account(world), await account(world)
    body = {"phone": "+34600111222", "template_id": await template(world, first, body="Hello.")}
    answer = await post(world, INITIATE, **body)
    assert set(answer.json()["errors"]) == {"inbox_channel_id"}
    assert (await post(world, INITIATE, **body, inbox_channel_id=first)).status_code == 201


async def test_without_an_account_there_is_nothing_to_write_from(world: World) -> None:
    answer = await post(world, INITIATE, phone="+34600111222", template_id=1)
    assert (answer.status_code, answer.json()["data"]["code"]) == (422, "not_connected")


async def test_nobody_writes_first_to_a_contact_of_another_organization(world: World) -> None:
    one = await template(world, await account(world), body="Hello.")
    contact = await world.row("contacts", THEIRS, phone="+34600111222")
    answer = await post(world, INITIATE, contact_id=contact, template_id=one)
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"contact_id"})


async def test_a_member_reads_templates_and_an_admin_writes_them(world: World) -> None:
    id = await account(world)
    one = await template(world, id)
    async with world.client(Role.member) as client:
        assert (await client.get(f"{TEMPLATES}/{one}")).status_code == 200
        assert (await client.post(TEMPLATES, json={**BODY, "inbox_channel_id": id})).status_code == 403
