"""The list of conversations, whole: joined members, both searches, tags, who waits, pipelines."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from frontdesk.core.caller import Role
from frontdesk.core.errors import Json
from frontdesk.resources.messaging.conversation_query import COUNTED_BY_TEXT
from tests.world import NOW, OURS, THEIRS, World

JOINED = {"contact", "last_message", "assigned_user", "assigned_ai_assistant", "assigned_team", "tags"}
# One text for many conversations, each with its own contact: what a search for a common word meets.
CROWD = """
    WITH c AS (
        INSERT INTO conversations (organization_id, contact_id, channel, kind, status, ai_auto_assignment_disabled,
            blocked, is_contact_verified, epoch, episode, last_position, unread_count, last_interaction_at, created_at,
            updated_at)
        SELECT $1, $2, 'webchat', 'conversation', CASE WHEN i % 10 = 0 THEN 'open' ELSE 'closed' END, false, false,
            true, 1, 1, 1, 0, now() - i * interval '1 hour', now(), now()
        FROM generate_series(1, $3) i RETURNING id
    )
    INSERT INTO conversation_messages (organization_id, conversation_id, position, channel, kind, direction, sender,
        message_type, message_text, status, created_at, updated_at)
    SELECT $1, id, 1, 'webchat', 'conversation', 'inbound', 'contact', 'text', $4, 'stored', now(), now() FROM c
"""


async def found(world: World, query: str, role: Role = Role.member) -> list[int]:
    async with world.client(role) as client:
        answer = await client.get(f"/conversations?{query}")
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["data"]]


async def refused(world: World, query: str) -> dict[str, str]:
    async with world.client() as client:
        answer = await client.get(f"/conversations?{query}")
    assert answer.status_code == 400, answer.text
    return dict(answer.json()["errors"])


async def said(world: World, *texts: str, organization_id: int = OURS, **fields: Json) -> int:
    """A conversation in which this was said."""
    given = {"channel": "webchat", "last_position": len(texts), **fields}
    id = await world.row("conversations", organization_id, **given)  # type: ignore[arg-type]
    for position, text in enumerate(texts, 1):
        await world.row(
            "conversation-messages-webchat", organization_id, conversation_id=id, position=position, message_text=text
        )
    return id


async def crowd(world: World, count: int, text: str) -> None:
    contact = await world.row("contacts")
    async with world.database.system() as connection:
        await connection.execute(CROWD, OURS, contact, count, text)


async def patch(world: World, id: int, **fields: Json) -> httpx.Response:
    async with world.client(Role.member) as client:
        return await client.patch(f"/conversations/{id}", json=fields)


async def test_joined_members_stand_in_a_list_only_when_asked_for(world: World) -> None:
    id = await said(world, "Hello.")
    async with world.client() as client:
        plain = (await client.get("/conversations")).json()["data"][0]
        joined = (await client.get("/conversations?fastJoinForConversationList=true")).json()["data"][0]
        chosen = (await client.get("/conversations?$select[]=tags")).json()["data"][0]
        one = (await client.get(f"/conversations/{id}")).json()
    assert not JOINED & set(plain)
    assert set(joined) - set(plain) == JOINED
    assert (set(chosen), one) == ({"id", "tags"}, {**joined, "ai_summary": None, "ai_decision": None})


async def test_joined_members_show_who_and_what(world: World) -> None:
    contact = await world.row("contacts", first_name="Ana", last_name="Torres", phone="5550102030")
    assistant, user = await world.row("ai-assistants", name="Luna"), world.users[(Role.admin, OURS)]
    tag = await world.row("tags", name="VIP")
    await world.row("contact-tags", contact_id=contact, tag_id=tag)
    one = await said(world, "First.", "Second.", contact_id=contact, assigned_ai_assistant_id=assistant)
    other = await world.row("conversations", contact_id=contact, assigned_user_id=user)
    async with world.client() as client:
        ours = (await client.get(f"/conversations/{one}")).json()
        theirs = (await client.get(f"/conversations/{other}")).json()
    assert ours["contact"] | {"id": contact, "first_name": "Ana", "phone": "5550102030"} == ours["contact"]
    assert (ours["last_message"]["message_text"], ours["last_message"]["direction"]) == ("Second.", "inbound")
    assert (ours["assigned_ai_assistant"], ours["assigned_user"]) == ({"id": assistant, "name": "Luna"}, None)
    assert [row["name"] for row in ours["tags"]] == ["VIP"]
    assert (theirs["assigned_user"]["id"], theirs["last_message"]) == (user, None)


async def test_the_last_message_is_no_reaction_and_no_deleted_one(world: World) -> None:
    id = await said(world, "Shown.", "Deleted.", "Liked.")
    async with world.database.system() as connection:
        await connection.execute("UPDATE conversation_messages SET deleted_at = now() WHERE message_text = 'Deleted.'")
        await connection.execute(
            "UPDATE conversation_messages SET message_type = 'reaction' WHERE message_text = 'Liked.'"
        )
    async with world.client() as client:
        assert (await client.get(f"/conversations/{id}")).json()["last_message"]["message_text"] == "Shown."


async def test_the_newest_interaction_comes_first(world: World) -> None:
    old = await world.row("conversations", last_interaction_at=NOW - timedelta(days=1))
    new = await world.row("conversations", last_interaction_at=NOW)
    assert await found(world, "") == [new, old]
    assert await found(world, "$sort[last_interaction_at]=1") == [old, new]


CONTACT_SEARCHES = {
    "ana": True, "TORRES": True, "tor an": True, "010203": True, "ana%40example": True, "": True, "bob": False,
    "ana bob": False, "%25": False, "555-": False,
}  # fmt: skip


@pytest.mark.parametrize("term", CONTACT_SEARCHES)
async def test_the_contact_is_found_by_name_and_phone(world: World, term: str) -> None:
    ana = await world.row("contacts", first_name="Ána", last_name="Torres", phone="5550102030", email="ana@example.com")
    id = await world.row("conversations", contact_id=ana)
    await world.row("conversations", contact_id=ana, status="closed")
    await world.row("conversations", THEIRS)
    assert await found(world, f"searchTerm={term}&status=open") == ([id] if CONTACT_SEARCHES[term] else [])


MESSAGE_SEARCHES = {
    "invoice": True, "INVOICE": True, "voic": True, "4471": True, "factura": True, "FACTÚRA": True,
    "invoice wrong": True, "wrong+invoice": True, "50%25": True, "a_b": True, "invoice factura": False,
    "50_": False, "nothing": False, "deleted": False,
}  # fmt: skip


@pytest.mark.parametrize("term", MESSAGE_SEARCHES)
async def test_a_conversation_is_found_by_what_was_said(world: World, term: str) -> None:
    id = await said(world, "My invoice 4471 is wrong.", "¿La FACTÚRA?", "50% of a_b", "deleted")
    await said(world, "My invoice 4471 is wrong, factura, 50% a_b", organization_id=THEIRS)
    async with world.database.system() as connection:
        await connection.execute("UPDATE conversation_messages SET deleted_at = now() WHERE message_text = 'deleted'")
    assert await found(world, f"messageSearchTerm={term}") == ([id] if MESSAGE_SEARCHES[term] else [])


@pytest.mark.parametrize("term", ["a", "ab", "%20%20a", "x" * 201, "abc%00"])
async def test_a_search_for_messages_that_is_too_short_or_too_long_is_refused(world: World, term: str) -> None:
    assert "messageSearchTerm" in await refused(world, f"messageSearchTerm={term}")


async def test_a_word_that_is_everywhere_is_found_too_and_counted_no_further_than_needed(world: World) -> None:
    await crowd(world, COUNTED_BY_TEXT + 60, "Good day to you")
    async with world.client() as client:
        page = (await client.get("/conversations?messageSearchTerm=day good&$limit=5")).json()
        few = (await client.get("/conversations?messageSearchTerm=day&status=open&$limit=5")).json()
    newest = await found(world, "$limit=5")
    assert [row["id"] for row in page["data"]] == newest
    assert (page["total"], page["total_is_minimum"]) == (COUNTED_BY_TEXT, True)
    assert (few["total"], "total_is_minimum" in few, len(few["data"])) == (16, False, 5)


async def test_both_searches_and_conditions_narrow_each_other(world: World) -> None:
    ana, bob = await world.row("contacts", first_name="Ana"), await world.row("contacts", first_name="Bob")
    id = await said(world, "refund please", contact_id=ana)
    await said(world, "refund please", contact_id=bob)
    await said(world, "refund please", contact_id=ana, status="closed")
    query = "searchTerm=ana&messageSearchTerm=refund&status=open"
    assert await found(world, query) == [id]
    assert await found(world, f"{query}&$or[0][id]={id}&$or[1][unread_count][$gt]=5") == [id]
    assert await found(world, f"$or[0][messageSearchTerm]=refund&$or[1][status]=closed&id={id}") == [id]


async def test_a_view_may_hold_a_search(world: World) -> None:
    id = await said(world, "refund please")
    await said(world, "thank you")
    query = {"messageSearchTerm": "refund", "searchTerm": "sample", "status": "open"}
    async with world.client() as client:
        view = (await client.post("/views", json={"name": "Refunds", "query": query})).json()["id"]
    await world.row("contacts", first_name="sample")
    assert await found(world, f"view_id={view}") == []
    async with world.client() as client:
        await client.patch(f"/views/{view}", json={"query": {"messageSearchTerm": "refund"}})
    assert await found(world, f"view_id={view}") == [id]
    assert await found(world, f"view_id={view}&messageSearchTerm=thank") == []


async def test_a_tag_of_the_contact_chooses_its_conversations(world: World) -> None:
    ana, tag = await world.row("contacts"), await world.row("tags")
    id = await world.row("conversations", contact_id=ana)
    await world.row("conversations")
    await world.row("contact-tags", contact_id=ana, tag_id=tag)
    assert await found(world, f"tag_id={tag}") == [id]
    assert await found(world, f"tag_id={tag + 1}") == []
    assert "tag_id" in await refused(world, "tag_id=vip")


async def test_who_waits_for_an_answer(world: World) -> None:
    waits = await world.row("conversations", waiting_since=NOW)
    await world.row("conversations", waiting_since=NOW, status="closed")
    answered = await world.row("conversations")
    assert await found(world, "waitingResponseOnly=true") == [waits]
    assert {waits, answered} < set(await found(world, "waitingResponseOnly=false"))
    assert "waitingResponseOnly" in await refused(world, "waitingResponseOnly=maybe")


@pytest.mark.parametrize(
    "query", ["unread_count[$gt]=0", "unread_count[$gte]=2", "unread_count=2", "unread_count[$ne]=0"]
)
async def test_unread_counts_are_compared(world: World, query: str) -> None:
    id = await world.row("conversations", unread_count=2)
    await world.row("conversations", unread_count=0)
    assert await found(world, query) == [id]


async def test_unread_is_set_by_the_people_who_read(world: World) -> None:
    id = await world.row("conversations", unread_count=3)
    for value in (0, 1):
        assert (await patch(world, id, unread_count=value)).json()["unread_count"] == value
    assert (await patch(world, id, unread_count=-1)).status_code == 400


@pytest.mark.parametrize("form", [str, int])
async def test_an_assistant_is_named_by_a_number_or_by_its_digits(world: World, form: type[str] | type[int]) -> None:
    id, assistant = await world.row("conversations"), await world.row("ai-assistants")
    assert (await patch(world, id, assigned_ai_assistant_id=form(assistant))).json()["assigned_ai_assistant"]
    assert await found(world, f"assigned_ai_assistant_id={assistant}") == [id]
    for wrong in ("", "luna", "1.5", "-1", True, [1]):
        assert (await patch(world, id, assigned_ai_assistant_id=wrong)).status_code == 400, wrong


async def pipeline(world: World, organization_id: int = OURS, entity: str = "conversations") -> tuple[int, int, int]:
    """A pipeline and two stages, the first of which was made last."""
    id = await world.row("pipelines", organization_id, name=f"p{world.guests}{entity}", entity=entity)
    second = await world.row("pipeline-stages", organization_id, pipeline_id=id, name="b", position=2)
    return id, await world.row("pipeline-stages", organization_id, pipeline_id=id, name="a", position=1), second


async def test_a_stage_brings_its_pipeline_and_neither_stands_alone(world: World) -> None:
    id, (one, first, second) = await world.row("conversations"), await pipeline(world)
    steps: list[tuple[dict[str, Json], tuple[int | None, int | None]]] = [
        ({"pipeline_stage_id": second}, (one, second)),
        ({"pipeline_id": one}, (one, second)),
        ({"pipeline_stage_id": None}, (None, None)),
        ({"pipeline_id": one}, (one, first)),
        ({"pipeline_id": one, "pipeline_stage_id": second}, (one, second)),
        ({"pipeline_id": None}, (None, None)),
    ]
    for fields, place in steps:
        answer = (await patch(world, id, **fields)).json()
        assert (answer["pipeline_id"], answer["pipeline_stage_id"]) == place, fields
    await patch(world, id, pipeline_stage_id=second)
    assert await found(world, f"pipeline_id={one}&pipeline_stage_id={second}") == [id]


async def test_a_place_that_is_none_is_named(world: World) -> None:
    id, (one, first, _) = await world.row("conversations"), await pipeline(world)
    sales, deal_stage, _ = await pipeline(world, entity="deals")
    theirs, their_stage, _ = await pipeline(world, THEIRS)
    empty = await world.row("pipelines", name="empty", entity="conversations")
    for fields, name in (
        ({"pipeline_id": sales}, "pipeline_id"), ({"pipeline_stage_id": deal_stage}, "pipeline_stage_id"),
        ({"pipeline_id": theirs}, "pipeline_id"), ({"pipeline_stage_id": their_stage}, "pipeline_stage_id"),
        ({"pipeline_id": empty}, "pipeline_id"), ({"pipeline_id": one, "pipeline_stage_id": None}, "pipeline_stage_id"),
        ({"pipeline_id": empty, "pipeline_stage_id": first}, "pipeline_stage_id"),
    ):  # fmt: skip
        answer = await patch(world, id, **fields)
        assert (answer.status_code, set(answer.json()["errors"])) == (400, {name}), fields


async def test_a_stage_with_conversations_is_not_deleted(world: World) -> None:
    id, (_, first, _) = await world.row("conversations"), await pipeline(world)
    await patch(world, id, pipeline_stage_id=first)
    async with world.client() as client:
        answer = await client.delete(f"/pipeline-stages/{first}")
        assert answer.status_code == 409
        assert "conversations" in answer.json()["message"]
        await patch(world, id, pipeline_stage_id=None)
        assert (await client.delete(f"/pipeline-stages/{first}")).status_code == 200


async def test_a_deleted_conversation_leaves_every_list(world: World) -> None:
    id = await said(world, "refund please")
    async with world.client(Role.member) as client:
        assert (await client.delete(f"/conversations/{id}")).status_code == 403
    async with world.client(Role.admin) as client:
        assert (await client.delete(f"/conversations/{id}")).json()["deleted_at"] is not None
        assert (await client.get(f"/conversations/{id}")).status_code == 404
    assert await found(world, "") == await found(world, "messageSearchTerm=refund") == []
