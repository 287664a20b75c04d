"""Many conversations go back to their assistants: first seen, then done, and only what was seen."""

import pytest

from frontdesk.core.caller import Caller, Role
from frontdesk.core.errors import Conflict, Invalid, Json
from frontdesk.resources.messaging.bulk_batches import BATCH
from tests.flow.harness import Desk
from tests.flow.test_bulk import crowd
from tests.flow.test_handoff import handoffs, hands_over
from tests.flow.test_handoff_targets import KEYWORDS, conversations, people

ALL: Json = {"status": "open"}


async def given_away(desk: Desk, count: int) -> list[int]:
    await hands_over(desk, KEYWORDS)
    ids = await conversations(desk, count)
    await desk.settle()
    return ids


async def preview(desk: Desk, **target: Json) -> dict[str, Json]:
    return (await desk.call("conversations-bulk-actions-previews", "create", **target)).value


async def hand_back(desk: Desk, **data: Json) -> dict[str, Json]:
    return (await desk.call("conversations-bulk-actions", "create", action="hand_back", **data)).value


async def owners(desk: Desk, ids: list[int]) -> set[int | None]:
    rows = await desk.fetch("SELECT assigned_ai_assistant_id FROM conversations WHERE id = ANY($1)", ids)
    return {row[0] for row in rows}


async def test_it_is_seen_first_and_then_done(desk: Desk) -> None:
    ids = await given_away(desk, 3)
    await desk.say("Anybody?", conversation_id=ids[0])
    await desk.settle()
    seen = await preview(desk, conversation_ids=[*ids, desk.conversation_id])
    assert {name: seen[name] for name in seen if name.endswith("_count")} == {
        "total_count": 4, "changed_count": 3, "answered_count": 1, "skipped_count": 1,
    }  # fmt: skip
    assert await owners(desk, ids) == {None}
    desk.script.say("Yes, I am back.")
    done = await hand_back(desk, conversation_ids=[*ids, desk.conversation_id], preview_token=seen["preview_token"])
    assert (done["status"], done["processed_count"]) == ("done", 4)
    await desk.settle()
    assert await owners(desk, ids) == {desk.assistant_id}
    assert (await desk.replies())[-1] == "Yes, I am back."
    assert len(desk.script.requests) == 1
    assert {row["return_reason"] for row in await handoffs(desk)} == {"assigned"}


async def test_a_filter_and_another_assistant(desk: Desk) -> None:
    ids = await given_away(desk, 2)
    other = await desk.call(
        "ai-assistants", "create", name="Night", assistant_type="conversation", ai_model_id=1, instructions="Nights."
    )
    target: dict[str, Json] = {
        "filter": {"assigned_user_id": desk.user_id},
        "assigned_ai_assistant_id": other.value["id"],
    }
    seen = await preview(desk, **target)
    await hand_back(desk, **target, preview_token=seen["preview_token"])
    assert await owners(desk, ids) == {other.value["id"]}


async def test_without_a_preview_nothing_is_done(desk: Desk) -> None:
    ids = await given_away(desk, 1)
    for token in ({}, {"preview_token": "x"}, {"preview_token": desk.door.vault.seal("{}")}):
        with pytest.raises(Invalid) as caught:
            await hand_back(desk, conversation_ids=ids, **token)  # type: ignore[arg-type]
        assert list(caught.value.errors) == ["preview_token"]
    assert await owners(desk, ids) == {None}


async def test_another_set_needs_another_preview(desk: Desk) -> None:
    ids = await given_away(desk, 2)
    seen = await preview(desk, filter=ALL)
    await conversations(desk, 1)
    await desk.settle()
    with pytest.raises(Conflict):
        await hand_back(desk, filter=ALL, preview_token=seen["preview_token"])
    seen = await preview(desk, conversation_ids=ids[:1])
    with pytest.raises(Conflict):
        await hand_back(desk, conversation_ids=ids, preview_token=seen["preview_token"])
    with pytest.raises(Conflict):
        await hand_back(
            desk, conversation_ids=ids[:1], preview_token=seen["preview_token"],
            assigned_ai_assistant_id=desk.assistant_id,
        )  # fmt: skip
    assert await desk.fetch("SELECT FROM conversations_bulk_actions") == []


async def test_a_token_expires_and_is_for_one_person(desk: Desk) -> None:
    ids = await given_away(desk, 1)
    seen = await preview(desk, conversation_ids=ids)
    data = {"action": "hand_back", "conversation_ids": ids, "preview_token": seen["preview_token"]}
    stranger = Caller(desk.organization_id, None, Role.admin)
    with pytest.raises(Invalid, match="validation"):
        await desk.door.call(stranger, "conversations-bulk-actions", "create", data=data)
    await desk.pass_time(15 * 60)
    with pytest.raises(Invalid) as caught:
        await hand_back(desk, conversation_ids=ids, preview_token=seen["preview_token"])
    assert "expired" in caught.value.errors["preview_token"]


async def test_a_token_is_good_once(desk: Desk) -> None:
    ids = await given_away(desk, 2)
    data: dict[str, Json] = {"conversation_ids": [*ids]}
    data["preview_token"] = (await preview(desk, **data))["preview_token"]
    await hand_back(desk, **data)
    await desk.call("conversations", "patch", ids[0], assigned_user_id=desk.user_id)
    with pytest.raises(Conflict):
        await hand_back(desk, **data)
    assert await owners(desk, ids) == {None, desk.assistant_id}


async def test_what_has_changed_hands_since_needs_another_preview(desk: Desk) -> None:
    ids = await given_away(desk, 2)
    (ana,) = await people(desk, 1)
    seen = await preview(desk, conversation_ids=[*ids])
    await desk.call("conversations", "patch", ids[1], assigned_user_id=ana)
    with pytest.raises(Conflict):
        await hand_back(desk, conversation_ids=[*ids], preview_token=seen["preview_token"])
    assert await owners(desk, ids) == {None}


async def test_a_person_who_takes_one_while_a_large_one_runs_keeps_it(desk: Desk) -> None:
    await desk.change(assigned_ai_assistant_id=None)
    await crowd(desk, BATCH)
    data: dict[str, Json] = {"filter": {}, "assigned_ai_assistant_id": desk.assistant_id}
    data |= {"preview_token": (await preview(desk, **data))["preview_token"], "action": "hand_back"}
    async with desk.database.transaction(desk.organization_id) as connection:
        await desk.door.call(desk.owner, "conversations-bulk-actions", "create", data=data, tx=connection)
    await desk.clock.advance(1)
    await desk.change(assigned_user_id=desk.user_id)
    await desk.settle()
    rows = await desk.fetch("SELECT assigned_ai_assistant_id FROM conversations WHERE assigned_user_id IS NULL")
    assert [row[0] for row in rows] == [desk.assistant_id] * BATCH
    assert (await desk.conversation())["assigned_user_id"] == desk.user_id


async def test_the_count_of_answers_knows_schedule_and_silence(desk: Desk) -> None:
    ids = await given_away(desk, 1)
    await desk.say("Anybody?", conversation_id=ids[0])
    await desk.settle()
    for fields in ({"disable_reply": True}, {"disable_reply": False, "schedule_config": {"enabled": True}}):
        await desk.configure(**fields)
        assert (await preview(desk, conversation_ids=ids))["answered_count"] == 0


async def test_a_bulk_close_gives_back_too(desk: Desk) -> None:
    await hands_over(desk, KEYWORDS, **{"return": {"mode": "on_close"}})
    ids = await conversations(desk, 2)
    await desk.settle()
    await desk.call(
        "conversations-bulk-actions", "create", action="update_status", status="closed", conversation_ids=ids
    )
    assert await owners(desk, ids) == {desk.assistant_id}
