"""One owner at a time, whoever asks for two; and only owners that there are."""

import pytest

from frontdesk.core.caller import Role
from frontdesk.core.errors import Json
from tests.world import OURS, THEIRS, World

PATHS = [("conversations", "conversation"), ("support-tickets", "support-ticket")]
both = pytest.mark.parametrize(("path", "kind"), PATHS, ids=[path for path, _ in PATHS])


async def answered(world: World, path: str, id: int, **data: Json) -> tuple[int, dict[str, Json]]:
    async with world.client() as client:
        answer = await client.patch(f"/{path}/{id}", json=data)
    return answer.status_code, answer.json()


async def assistant(world: World, kind: str) -> int:
    return await world.row("ai-assistants", assistant_type=kind)


@both
async def test_both_owners_in_one_change_are_refused(world: World, path: str, kind: str) -> None:
    id, eva = await world.row(path), await assistant(world, kind)
    user = world.users[Role.member, OURS]
    status, body = await answered(world, path, id, assigned_user_id=user, assigned_ai_assistant_id=eva)
    assert (status, list(body["errors"])) == (400, ["assigned_ai_assistant_id"])  # type: ignore[arg-type]


@both
async def test_each_owner_takes_the_place_of_the_other(world: World, path: str, kind: str) -> None:
    id, eva = await world.row(path), await assistant(world, kind)
    user, epochs = world.users[Role.member, OURS], []
    for change, owners in (
        ({"assigned_ai_assistant_id": eva}, (None, eva)), ({"assigned_user_id": user}, (user, None)),
        ({"assigned_user_id": user}, (user, None)), ({"assigned_ai_assistant_id": eva}, (None, eva)),
        ({"assigned_ai_assistant_id": None}, (None, None)),
    ):  # fmt: skip
        status, body = await answered(world, path, id, **change)
        assert (status, (body["assigned_user_id"], body["assigned_ai_assistant_id"])) == (200, owners)
        epochs.append(body["epoch"])
    first = int(str(epochs[0]))
    assert epochs == [first, first + 1, first + 1, first + 2, first + 3]


@both
async def test_an_owner_has_to_be_there(world: World, path: str, kind: str) -> None:
    id, wrong = await world.row(path), await assistant(world, "ai-chat")
    gone = await assistant(world, kind)
    async with world.client() as client:
        await client.delete(f"/ai-assistants/{gone}")
    strangers: list[dict[str, Json]] = [
        {"assigned_user_id": world.users[Role.member, THEIRS]}, {"assigned_user_id": 999_999},
        {"assigned_ai_assistant_id": await world.row("ai-assistants", THEIRS, assistant_type=kind)},
        {"assigned_ai_assistant_id": gone}, {"assigned_ai_assistant_id": wrong},
    ]  # fmt: skip
    for change in strangers:
        status, body = await answered(world, path, id, **change)
        assert (status, list(body["errors"])) == (400, list(change))  # type: ignore[arg-type]
