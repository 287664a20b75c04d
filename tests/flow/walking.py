"""Walks by chance: what they are made of, a room where one after the other is walked, and what a fault comes down to.

Drawn by plain chance, for a property tester's own draws are mostly short and alike: it takes many of them until a
person, a crash and a tool come together.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace

import asyncpg
import pytest

from frontdesk.core.database import Database
from frontdesk.runtime import preparation
from frontdesk.runtime.history import History
from tests.flow.harness import make_desk
from tests.flow.test_crash_points import Doom
from tests.flow.test_resume import is_valid
from tests.flow.walk_moves import Beginning, Move, Step
from tests.flow.walk_replay import replay_faults
from tests.flow.walk_rules import faults, last_faults
from tests.flow.walker import Walk
from tests.webhook_receiver import Receiver, receiving

BY_OTHERS = [
    "duplicate", "person_writes", "program_writes", "person_takes", "nobody", "hand_back", "hand_back", "hand_back",
    "hand_back_to_answer", "other_assistant", "preview", "bulk_hand_back", "bulk_hand_back", "bulk_unseen", "close",
    "reopen", "bulk_close", "cut", "block", "unblock", "mute", "unmute", "shut", "edge", "unshut", "tools_off",
    "tools_on", "delete_tools", "burst_on", "burst_off", "delete_assistant", "ask_first", "approve", "approve",
    "refuse", "remind", "sum_up", "opt_out", "opt_in", "stop", "start",
]  # fmt: skip
# While a model thinks or another system is called, these matter most.
AT_ONCE = [*["inbound"] * 12, *["stall"] * 12, "keyword", *["person_takes"] * 3, *["close"] * 3, *BY_OTHERS]
ORDERS = ["order", "book", "order_breaks", "book_breaks", "order_refused"]
REPLIES = ["say", "two", "note", "note", "note", "read", "transfer", "pass_on", "timeout", "blank", "claim", *ORDERS]
SETTINGS = [
    (), ("remind",), ("ask_first",), ("burst_on",), ("remind", "ask_first"), ("remind", "burst_on"),
    ("remind", "edge"), ("sum_up",),
]  # fmt: skip
PLACES = ["sms", "sms", "sms", "webchat", "ticket", "team"]

SENDS = ["", "", "", "dies", "away", "refuses"]
WAITS = [1, 10, 60, 1900, 4000]


@dataclass(frozen=True)
class Bias:
    """What shall come together more often than by plain chance, for what is rare: settings, acts and replies."""

    settings: tuple[str, ...] = ()
    acts: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    sends: tuple[str, ...] = ("",)


def drawn(seed: str, bias: Bias | None = None) -> tuple[Beginning, list[Step]]:
    """A walk, the same one for the same seed."""
    chance = random.Random(seed)
    beginning = Beginning(chance.choice(PLACES), chance.random() < 0.5, chance.choice(SETTINGS))
    if bias is None:
        return beginning, [_step(chance) for _ in range(chance.randint(2, 9))]
    beginning = replace(beginning, settings=bias.settings or beginning.settings)
    return beginning, [_biased(chance, bias) for _ in range(chance.randint(2, 9))]


def _biased(chance: random.Random, bias: Bias) -> Step:
    """Every other step is of the kind that is wanted."""
    if chance.random() < 0.5:
        return _step(chance)
    if bias.acts and (not bias.replies or chance.random() < 0.5):
        act = chance.choice(bias.acts)
        return Step(act, (), None, "", 10 if act == "wait" else 0)
    moves = tuple(Move(chance.choice(bias.replies)) for _ in range(chance.randint(1, 3))) if bias.replies else ()
    return Step("inbound", moves, None, chance.choice(bias.sends), 1)


def _step(chance: random.Random) -> Step:
    kind, crash = chance.random(), chance.randint(0, 24) if chance.random() < 0.4 else None
    if kind < 0.5:
        moves = tuple(_move(chance) for _ in range(chance.randint(0, 3)))
        act = "keyword" if chance.random() < 0.1 else "inbound"
        return Step(act, moves, crash, chance.choice(SENDS), chance.choice([0, 1]))
    if kind < 0.8:
        return Step(chance.choice(BY_OTHERS), (), crash, "", chance.choice([0, 2]))
    return Step("wait", (), crash, "", chance.choice(WAITS))


def _move(chance: random.Random) -> Move:
    meanwhile, during = (chance.choice(AT_ONCE) if chance.random() < 0.4 else "" for _ in range(2))
    return Move(chance.choice(REPLIES), meanwhile, during)


@dataclass
class Room:
    """A database, another system, and a loop for as many walks as one likes."""

    runner: asyncio.Runner
    database: Database
    cleaner: asyncpg.Connection
    receiver: Receiver
    doom: Doom
    ignored: str = ""  # a pattern: faults that are not looked for

    def walk(self, beginning: Beginning, steps: list[Step]) -> str:
        """What is wrong with it; nothing, in most cases."""
        try:
            self.runner.run(self._walk(beginning, steps))
        except Exception as fault:
            return f"{type(fault).__name__}: {fault}"
        return ""

    def least(self, beginning: Beginning, steps: list[Step]) -> list[Step]:
        """What is left of a faulty walk where nothing more can be left out."""
        while (shorter := next((one for one in _shorter(steps) if self.walk(beginning, one)), None)) is not None:
            steps = shorter
        return steps

    async def _walk(self, beginning: Beginning, steps: list[Step]) -> None:
        await self.cleaner.execute("SELECT testing.clean()")
        self.doom.left = None
        walk = Walk(await make_desk(self.database), self.doom, self.receiver, beginning)
        with rebuilt_histories(walk):
            await walk.begin()
            for number, step in enumerate(steps):
                await walk.take(step)
                if found := self._looked_for(await faults(walk)):
                    raise AssertionError(f"after step {number}: {found}")
            await walk.end()
        if found := self._looked_for([*await last_faults(walk), *await replay_faults(walk.desk)]):
            raise AssertionError(f"at the end: {found}")

    def _looked_for(self, found: list[str]) -> list[str]:
        return [fault for fault in found if not (self.ignored and re.search(self.ignored, fault))]


@contextmanager
def rebuilt_histories(walk: Walk) -> Iterator[None]:
    """Looks at each history as the store gives it. What the model reads proves less: the library repairs orphans."""

    def watched(*values: object, **named: object) -> History:
        history: History = rebuild(*values, **named)  # type: ignore[arg-type]
        if not is_valid(history.messages):
            walk.wrong.append(f"the history that was rebuilt is not valid: {history.messages}")
        return history

    rebuild = preparation.rebuild
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparation, "rebuild", watched)
        yield


def _shorter(steps: list[Step]) -> Iterator[list[Step]]:
    """The walk with one thing less."""
    for i, step in enumerate(steps):
        less = [replace(step, moves=step.moves[:j] + step.moves[j + 1 :]) for j in range(len(step.moves))]
        less += [replace(step, crash=None)] if step.crash is not None else []
        less += [replace(step, send="")] if step.send else []
        for j, move in enumerate(step.moves):
            plain = [replace(move, meanwhile="")] if move.meanwhile else []
            plain += [replace(move, during="")] if move.during else []
            less += [replace(step, moves=(*step.moves[:j], one, *step.moves[j + 1 :])) for one in plain]
        yield [*steps[:i], *steps[i + 1 :]]
        yield from ([*steps[:i], one, *steps[i + 1 :]] for one in less)


@contextmanager
def room(url: str, doom: Doom) -> Iterator[Room]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        database = runner.run(stack.enter_async_context(Database(url)))
        cleaner = runner.run(asyncpg.connect(url))
        stack.push_async_callback(cleaner.close)
        receiver = runner.run(stack.enter_async_context(receiving()))
        try:
            yield Room(runner, database, cleaner, receiver, doom)
        finally:
            runner.run(stack.aclose())
