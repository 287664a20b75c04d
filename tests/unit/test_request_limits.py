"""The rate limit's bound over several processes, and what one that is refused is told."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from frontdesk.core.errors import Unavailable
from frontdesk.core.ledger import LONGEST_LEASE, Ledger
from frontdesk.core.quota import FEW, UNLIMITED, Quota, parse_quota
from frontdesk.core.request_limits import RateLimited
from tests.ledgers import Processes, turn

QUOTAS = [Quota(1, 10), Quota(10, 60), Quota(25, 10), Quota(200, 60), Quota(1000, 3600)]


class NeverMoreThanTheLimit(RuleBasedStateMachine):
    """Any number of processes that ask, wait, are killed and come back, in any order."""

    @initialize(quota=st.sampled_from(QUOTAS), number=st.integers(1, 4))
    def start(self, quota: Quota, number: int) -> None:
        self.runner = asyncio.Runner()
        self.world = Processes(quota, number)

    @rule(process=st.integers(0, 3), share=st.floats(0, 1.2))
    def send(self, process: int, share: float) -> None:
        number = 1 + int(self.world.quota.requests * share)
        self.runner.run(self.world.send(process % len(self.world.all), number))

    @rule(share=st.floats(0, 1.1))
    def wait(self, share: float) -> None:
        self.world.wait(round(self.world.quota.window * share, 3))

    @rule(seconds=st.floats(0, 40))
    def wait_a_little(self, seconds: float) -> None:
        self.world.wait(round(seconds, 3))

    @rule(process=st.integers(0, 3), is_killed=st.booleans())
    def start_anew(self, process: int, is_killed: bool) -> None:
        place = process % len(self.world.all)
        if not is_killed:
            self.runner.run(self.world.all[place].give_back())
        self.world.all[place] = self.world.new()

    @rule(process=st.integers(0, 3))
    def lose_the_database(self, process: int) -> None:
        self.world.ledgers.failure = Unavailable("gone")
        place = process % len(self.world.all)
        self.world.all[place] = self.world.new()
        with pytest.raises(Unavailable):
            self.runner.run(self.world.send(place))
        self.world.ledgers.failure = None

    @invariant()
    def no_window_holds_more(self) -> None:
        if hasattr(self, "world"):
            assert self.world.most_in_a_window <= self.world.quota.requests

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.close()


NeverMoreThanTheLimit.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
test_never_more_than_the_limit = NeverMoreThanTheLimit.TestCase


@pytest.mark.parametrize("quota", QUOTAS, ids=lambda quota: f"{quota.requests}/{quota.window}")
async def test_one_process_gets_just_the_limit_and_after_a_window_again(quota: Quota) -> None:
    world = Processes(quota)
    assert await world.send(0, quota.requests + 50) == quota.requests
    world.wait(quota.window - 0.001)
    assert await world.send() == 0
    world.wait(0.001)
    assert await world.send(0, quota.requests + 50) == quota.requests


async def test_a_small_limit_is_exact_over_processes() -> None:
    world = Processes(Quota(10, 60), 3)
    for second in range(10):
        assert await world.send(second % 3) == 1
        world.wait(1)
    assert [await world.send(process) for process in range(3)] == [0, 0, 0]
    world.wait(50)
    # One comes back each second, at its own time.
    for process in (2, 0, 1):
        assert await world.send(process, 2) == 1
        world.wait(1)


async def test_requests_that_wait_together_are_counted_together() -> None:
    world = Processes(Quota(10, 60))
    await asyncio.gather(*(world.send() for _ in range(30)))
    assert (len(world.admitted), len(world.refusals)) == (10, 20)
    assert world.ledgers.questions <= 3


async def test_a_read_costs_no_write() -> None:
    world = Processes(Quota(1000, 3600))
    assert await world.send(0, 700) == 700
    assert world.ledgers.questions <= 20
    await world.send(0, 400)
    assert world.ledgers.questions <= 60


async def test_no_process_holds_more_than_a_twentieth() -> None:
    world = Processes(Quota(1000, 3600), 4)
    held = []
    for process in range(4):
        await world.send(process, 150)
        held += [count for count, _ in Ledger.from_json(world.ledgers.stored[1]).leases.values()]
    assert max(held) == 50


async def test_idle_processes_hold_little() -> None:
    world = Processes(Quota(1000, 3600), 8)
    for minute in range(40):
        await world.send(minute % 8)
        world.wait(60)
    assert await world.send(0, 1000) >= 1000 - 40 - 8 * 6


async def test_what_a_killed_process_held_comes_back_a_window_after_its_lease() -> None:
    world = Processes(Quota(200, 60), 2)
    await world.send(0, 3)
    world.all[0] = world.new()
    assert 180 <= await world.send(1, 200) < 197
    world.wait(60 + min(60 / 20, LONGEST_LEASE / 1000))
    assert await world.send(1, 201) == 200


async def test_a_process_that_ends_gives_back() -> None:
    world = Processes(Quota(200, 60), 2)
    await world.send(0, 3)
    await world.all[0].give_back()
    assert await world.send(1, 200) == 197


async def test_a_process_ends_without_the_database_too() -> None:
    world = Processes(Quota(200, 60), 2)
    await world.send(0, 3)
    world.ledgers.failure = Unavailable("gone")
    await world.all[0].give_back()
    world.ledgers.failure = None
    assert 180 <= await world.send(1, 200) < 197


async def test_a_refusal_has_the_published_members_and_its_wait_is_true() -> None:
    world = Processes(Quota(10, 60))
    await world.send(0, 4)
    world.wait(20.5)
    await world.send(0, 7)
    refusal = world.refusals[0]
    assert refusal.as_json() == {
        "name": "TooManyRequests", "message": "Rate limit exceeded", "code": 429,
        "data": {"limit": 10, "current": 10, "window": 60, "retryAfter": 40},
    }  # fmt: skip
    assert (refusal.headers["Retry-After"], refusal.headers["RateLimit"]) == ("40", '"default";r=0;t=40')
    world.wait(40)
    assert await world.send(0, 5) == 4


async def test_one_that_floods_asks_the_database_once_a_second() -> None:
    world = Processes(Quota(10, 60))
    await world.send(0, 500)
    asked = world.ledgers.questions
    for _ in range(5):
        await world.send(0, 100)
        world.wait(0.2)
    assert world.ledgers.questions <= asked + 1


async def test_headers_count_down() -> None:
    world = Processes(Quota(100, 60))
    first = dict(await world.all[0].admit(1, world.quota))
    world.wait(15)
    second = dict(await world.all[0].admit(1, world.quota))
    assert first == {b"ratelimit-policy": b'"default";q=100;w=60', b"ratelimit": b'"default";r=99;t=60'}
    assert second[b"ratelimit"] == b'"default";r=98;t=45'


async def test_a_database_that_was_away_loses_no_count() -> None:
    world = Processes(Quota(100, 60))
    await world.send(0, 40)
    world.wait(5)  # the lease is over
    world.ledgers.failure = Unavailable("gone")
    with pytest.raises(Unavailable):
        await world.send()
    world.ledgers.failure = None
    assert await world.send(0, 100) == 60


async def test_a_limit_that_was_changed_holds_at_once() -> None:
    world = Processes(Quota(1000, 3600))
    await world.send(0, 20)
    world.quota = Quota(30, 3600)
    assert await world.send(0, 20) == 10
    world.quota = Quota(50, 3600)
    assert await world.send(0, 50) == 20


async def test_organizations_do_not_share() -> None:
    world = Processes(Quota(10, 60))
    await world.send(0, 20)
    assert await world.all[0].admit(2, world.quota)


async def test_one_who_gives_up_waiting_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Processes(Quota(10, 60))
    share = world.all[0]._share(1, world.quota, 0.0)
    async with share.asking:
        waiting = asyncio.create_task(world.all[0].admit(1, world.quota))
        await turn()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert share.waiting == []


@pytest.mark.parametrize("text", ["", "1", "0/60", "1000/0", "-1/60", "1e3/60", "1000/3600 ", "10000000000/1", "٣/60"])
def test_what_is_no_quota_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="requests/seconds"):
        parse_quota(text)


def test_a_quota_is_requests_and_seconds() -> None:
    assert parse_quota("1000/3600") == Quota(1000, 3600)
    assert parse_quota("0") == UNLIMITED
    assert not UNLIMITED
    assert (Quota(19, 60).most_leased, Quota(1000, 3600).most_leased) == (0, 50)


def test_a_ledger_stays_small() -> None:
    ledger, quota = Ledger(), Quota(100_000, 3600)
    for second in range(0, 7200, 3):
        ledger.take(quota, "a", [], second * 1000, 5, 0)
    assert len(ledger.uses) <= FEW + 1
    assert ledger.current <= 6005


def test_a_clock_that_was_put_back_brings_nothing_back() -> None:
    ledger, quota = Ledger(), Quota(10, 60)
    ledger.take(quota, "a", [], 100_000, 10, 0)
    assert ledger.take(quota, "a", [], 40_000, 1, 0).counted == 0
    assert ledger.take(quota, "a", [], 159_999, 1, 0).counted == 0
    assert ledger.take(quota, "a", [], 160_000, 1, 0).counted == 1


def test_a_refusal_is_one_of_the_family() -> None:
    refusal = RateLimited(Quota(10, 60), 10, 5)
    assert (refusal.status, refusal.name) == (429, "TooManyRequests")
