"""Leases of one process are renewed together, and only those that are still its own."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime

import pytest

from frontdesk.runtime.renewals import RENEW_EVERY, Lease, Renewals
from frontdesk.runtime.turns import LEASE
from tests.flow.harness import Desk

HOLD = """
    INSERT INTO ai_turns (organization_id, conversation_id, ai_assistant_id, config_version, epoch, status, is_muted,
        due_at, lease_token, lease_expires_at, attempts, effects_started, first_position, last_position, draft_seq,
        input_tokens, output_tokens, created_at, updated_at)
    SELECT $1, c.id, $2, 1, c.epoch, 'running', false, $3, $4, $3, 1, false, 1, 1, 0, 0, 0, $3, $3
    FROM conversations c WHERE c.id = $5 RETURNING id
"""


class Held:
    """Two turns of two conversations that one process holds."""

    def __init__(self, desk: Desk, stack: ExitStack) -> None:
        self.desk, self.clock, self.stack = desk, desk.clock, stack
        self.renewals = Renewals(desk.database, desk.clock)
        self.leases: list[Lease] = []

    async def hold(self, token: str) -> None:
        opened = await self.desk.say(
            "Hello", conversation_id=None, contact_id=self.desk.contact_id, ai_assistant_id=self.desk.assistant_id
        )
        where = (self.desk.organization_id, self.desk.assistant_id, self.clock.now(), token, opened.conversation_id)
        [row] = await self.desk.fetch(HOLD, *where)
        lease = self.renewals.of(self.desk.organization_id, row["id"], token)
        self.leases.append(self.stack.enter_context(lease))

    async def wait(self, which: int) -> bool:
        """Let one of them wait for its renewal, and the time pass."""
        waiting = asyncio.create_task(self.renewals.wait(self.leases[which]))
        await asyncio.sleep(0)
        await self.clock.advance(RENEW_EVERY)
        return await waiting

    async def ends(self) -> list[datetime]:
        rows = await self.desk.fetch(
            "SELECT lease_expires_at FROM ai_turns WHERE lease_token IN ('a', 'b') ORDER BY id"
        )
        return [row[0] for row in rows]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
async def held(desk: Desk, stack: ExitStack) -> Held:
    held = Held(desk, stack)
    for token in "ab":
        await held.hold(token)
    return held


async def test_the_first_that_is_due_renews_all(held: Held) -> None:
    assert await held.wait(0)
    assert await held.ends() == [held.clock.now() + LEASE] * 2
    assert held.leases[1].renewed_at == held.clock.monotonic()


async def test_a_lease_that_somebody_else_has_is_not_renewed(held: Held) -> None:
    await held.desk.fetch("UPDATE ai_turns SET lease_token = 'theirs' WHERE lease_token = 'a'")
    assert not await held.wait(0)
    assert await held.ends() == [held.clock.now() + LEASE]


@pytest.mark.parametrize("change", ["superseded_by_message_id = 1", "status = 'ended'", "epoch = 99"])
async def test_a_turn_that_is_over_is_not_renewed(held: Held, change: str) -> None:
    await held.desk.fetch(f"UPDATE ai_turns SET {change} WHERE lease_token = 'a'")
    assert not await held.wait(0)


async def test_a_row_that_a_step_has_locked_keeps_no_other_from_being_renewed(held: Held) -> None:
    async with held.desk.database.transaction(held.desk.organization_id) as connection:
        await connection.execute("SELECT FROM ai_turns WHERE lease_token = 'a' FOR UPDATE")
        assert not await held.wait(0)
    assert (await held.ends())[1] == held.clock.now() + LEASE


async def test_a_lease_that_was_given_back_is_nobodys_concern(held: Held) -> None:
    with held.renewals.of(1, 2, "gone"):
        pass
    assert await held.wait(1)
