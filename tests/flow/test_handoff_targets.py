"""Whom a hand-off goes to: the strategies, who is there, and fifty of them at once."""

import asyncio
from collections import Counter

import pytest

from frontdesk.core.errors import Json
from tests.flow.harness import Desk
from tests.flow.test_handoff import LINE, handoffs, hands_over, notes

KEYWORDS = {"id": "k", "type": "keywords", "keywords": ["lawyer"]}
EVERYBODY = """
    WITH person AS (
        INSERT INTO users (email, first_name, created_at, updated_at)
        SELECT 'p' || n || '@example.com', 'P' || n, now(), now() FROM generate_series(1, $2) AS n RETURNING id
    )
    INSERT INTO members (organization_id, user_id, role, created_at, updated_at)
    SELECT $1, id, 'member', now(), now() FROM person ORDER BY id RETURNING user_id
"""


async def people(desk: Desk, count: int) -> list[int]:
    return sorted(row[0] for row in await desk.fetch(EVERYBODY, desk.organization_id, count))


async def team_of(desk: Desk, *user_ids: int) -> int:
    id = int(str((await desk.call("teams", "create", name="Front office")).value["id"]))
    for user_id in user_ids:
        await desk.call("team-members", "create", team_id=id, user_id=user_id)
    return id


async def to(desk: Desk, strategy: str, *user_ids: int, **target: Json) -> None:
    kind = {"type": "user", "user_ids": [*user_ids]} if user_ids else {}
    await hands_over(desk, KEYWORDS, target={**kind, "strategy": strategy, **target}, summary=True)


async def away(desk: Desk, user_id: int) -> None:
    await desk.fetch("UPDATE members SET is_available = false WHERE user_id = $1 RETURNING id", user_id)


async def conversations(desk: Desk, count: int) -> list[int]:
    """New ones, each with one message that hands it over."""
    found = []
    for _ in range(count):
        stored = await desk.say(
            "lawyer", conversation_id=None, contact_id=desk.contact_id, ai_assistant_id=desk.assistant_id
        )
        found.append(stored.conversation_id)
    return found


async def got(desk: Desk, count: int) -> list[Json]:
    """Who gets the next ones, one after the other."""
    await conversations(desk, count)
    await desk.settle()
    return [row["to_user_id"] for row in (await handoffs(desk))[-count:]]


async def test_fixed_is_the_first_who_is_there(desk: Desk) -> None:
    ana, ben, eva = await people(desk, 3)
    await to(desk, "fixed", ben, ana, eva)
    assert await got(desk, 2) == [ben, ben]
    await away(desk, ben)
    assert await got(desk, 1) == [ana]


async def test_round_robin_goes_round(desk: Desk) -> None:
    ana, ben, eva = await people(desk, 3)
    await to(desk, "round_robin", ana, ben, eva)
    assert await got(desk, 4) == [ana, ben, eva, ana]
    await away(desk, ben)
    assert await got(desk, 3) == [eva, ana, eva]


async def test_least_busy_looks_at_what_is_open(desk: Desk) -> None:
    ana, ben = await people(desk, 2)
    await to(desk, "fixed", ana)
    await got(desk, 2)
    await to(desk, "least_busy", ana, ben)
    assert await got(desk, 4) == [ben, ben, ana, ben]
    await desk.fetch("UPDATE conversations SET status = 'closed' WHERE assigned_user_id = $1 RETURNING id", ana)
    assert await got(desk, 1) == [ana]


async def test_a_team_as_a_whole_waits_in_its_queue(desk: Desk) -> None:
    team = await team_of(desk, *await people(desk, 2))
    await to(desk, "fixed", type="team", team_id=team)
    assert await desk.ask("lawyer") == [LINE]
    talk = await desk.conversation()
    assert (talk["assigned_user_id"], talk["assigned_team_id"], talk["owner_reason"]) == (None, team, "handoff_team")
    assert talk["assigned_team"] == {"id": team, "name": "Front office"}
    assert await desk.ask("Hello?") == []


@pytest.mark.parametrize("strategy", ["fixed", "round_robin", "least_busy"])
async def test_a_team_that_was_emptied_has_nobody(desk: Desk, strategy: str) -> None:
    team = await team_of(desk)
    await to(desk, strategy, type="team", team_id=team)
    assert await desk.ask("lawyer") == [LINE]
    talk = await desk.conversation()
    assert (talk["assigned_team_id"], talk["owner_reason"]) == (team, "handoff_nobody_available")
    assert "Nobody of those it should go to is available" in (await notes(desk))[0]


async def test_one_of_a_team(desk: Desk) -> None:
    ana, ben, _ = await people(desk, 3)
    team = await team_of(desk, ana, ben)
    await to(desk, "round_robin", type="team", team_id=team)
    assert await got(desk, 3) == [ana, ben, ana]
    assert {row["to_team_id"] for row in await handoffs(desk)} == {team}


@pytest.mark.parametrize("strategy", ["fixed", "round_robin", "least_busy"])
async def test_where_nobody_is_there_it_waits_and_the_note_says_so(desk: Desk, strategy: str) -> None:
    (ana,) = await people(desk, 1)
    await to(desk, strategy, ana)
    await away(desk, ana)
    assert await desk.ask("lawyer") == [LINE]
    talk = await desk.conversation()
    assert (talk["assigned_user_id"], talk["owner_reason"]) == (None, "handoff_nobody_available")
    assert "Nobody of those it should go to is available" in (await notes(desk))[0]


async def test_who_has_left_gets_nothing(desk: Desk) -> None:
    ana, ben = await people(desk, 2)
    await to(desk, "fixed", ana, ben)
    await desk.fetch("UPDATE members SET deleted_at = now() WHERE user_id = $1 RETURNING id", ana)
    assert await got(desk, 1) == [ben]


async def test_a_team_that_was_deleted_is_the_queue(desk: Desk) -> None:
    team = await team_of(desk)
    await to(desk, "fixed", type="team", team_id=team)
    await desk.fetch("UPDATE teams SET deleted_at = now() WHERE id = $1 RETURNING id", team)
    await desk.ask("lawyer")
    assert (await desk.conversation())["owner_reason"] == "handoff_team_deleted"


@pytest.mark.parametrize("strategy", ["round_robin", "least_busy"])
async def test_fifty_at_once_are_fair(desk: Desk, strategy: str) -> None:
    everybody = await people(desk, 5)
    await to(desk, strategy, *everybody)
    ids = await conversations(desk, 50)
    await desk.fetch("DELETE FROM pgqueuer RETURNING id")
    await asyncio.gather(*(desk.flow.advance(desk.organization_id, id) for id in ids))
    given = Counter(row["to_user_id"] for row in await desk.fetch("SELECT to_user_id FROM ai_handoffs"))
    assert given == dict.fromkeys(everybody, 10)
