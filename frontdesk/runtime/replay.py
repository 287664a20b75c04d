"""The replay of a period under a draft: the draft is made and taken back, then the record is read and judged.

Neither part has a side effect: the first is a PATCH that is rolled back, the second one read-only transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import cast

from frontdesk.assistants.config import AssistantConfig, Language, config_of
from frontdesk.assistants.handoff_config import MessageCount
from frontdesk.core.clock import Clock
from frontdesk.core.database import Connection, Database
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid, Json, NotFound
from frontdesk.core.fields import Wrong, check_moment
from frontdesk.core.rates import Limit, Rates
from frontdesk.runtime import replay_reminder_rows as reminder_rows
from frontdesk.runtime import replay_rows as rows
from frontdesk.runtime.replay_lane import Before, Heard, Lane
from frontdesk.runtime.replay_notes import notes
from frontdesk.runtime.replay_reminder_rows import Stored
from frontdesk.runtime.replay_reminders import Reminders, Timeline
from frontdesk.runtime.replay_rows import Costs, Period
from frontdesk.runtime.replay_tally import Tally, tools_json

OWN = ("period", "base", "conversation_ids", "after_conversation_id")
USUAL_DAYS, MOST_DAYS = 7, 92
MOST_CONVERSATIONS = 1_000
PATIENCE = 45.0  # seconds, of the 60 in which an answer is due: one conversation is always judged whole
PER_MINUTE = 10  # of one organization: each is minutes' worth of gates
CURRENT = "SELECT * FROM ai_assistants WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"
ARE_THERE = "SELECT id FROM conversations WHERE organization_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL"


class _Undone(Exception):
    """Takes a draft back: it was made only to be looked at."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The fields that the draft sets or changes, the whole row as it would be, the tools now and then."""

    before: AssistantConfig
    row: Mapping[str, object]
    changed: Mapping[str, object]
    tools: Json
    warnings: Json


async def look(call: Call) -> None:
    """Before the transaction of the call, so that none is open for long. Raises `Invalid`, `NotFound`."""
    now = call.door.clock.now()
    start, end = period_of(call.data.get("period"), now)
    draft = await draft_of(call)
    ids = await _conversations(call)
    await Rates(call.door.database).count(now, Limit("replays", str(call.organization_id), PER_MINUTE))
    after = cast("int | None", call.data.get("after_conversation_id")) or 0
    period = Period(call.organization_id, draft.before.id, start, end, ids, after)
    base = str(call.data.get("base") or "then")
    run = Replay(call.door.database, call.door.clock, period, draft, base == "now", Tally(call.caller.user_id))
    await run.run()
    language: Language = draft.before.instructions_language
    call.extra["answer"] = {
        "ai_assistant_id": draft.before.id, "version": draft.before.version, "base": base,
        "period": {"from": _iso(start), "to": _iso(end)}, "is_complete": run.is_complete,
        "after_conversation_id": None if run.is_complete else run.done, **run.tally.as_json(), "tools": draft.tools,
        "warnings": draft.warnings, "notes": notes(language, config_of(dict(draft.row)), run.tally),
    }  # fmt: skip


def period_of(given: object, now: datetime) -> tuple[datetime, datetime]:
    """From when until when, the end not included."""
    if given is None:
        return now - timedelta(days=USUAL_DAYS), now
    if not isinstance(given, dict):
        raise Invalid([Fault("period", "type", "must be an object with from and to")])
    wrong = [Fault(f"period.{name}", "additionalProperties", "is not a member") for name in given
             if name not in ("from", "to")]  # fmt: skip
    found: dict[str, datetime] = {}
    for name, usual in (("to", now), ("from", None)):
        if given.get(name) is not None:
            try:
                found[name] = check_moment(given[name])
            except Wrong as fault:
                wrong.append(fault.at(f"period.{name}"))
        else:
            found[name] = usual or found.get("to", now) - timedelta(days=USUAL_DAYS)
    if not wrong and found["from"] >= found["to"]:
        wrong.append(Fault("period.from", "formatExclusiveMaximum", "must be before period.to"))
    if not wrong and found["to"] - found["from"] > timedelta(days=MOST_DAYS):
        wrong.append(Fault("period.from", "formatMinimum", f"must be {MOST_DAYS} days before period.to at most"))
    if wrong:
        raise Invalid(wrong)
    return found["from"], found["to"]


async def _conversations(call: Call) -> list[int] | None:
    given = call.data.get("conversation_ids")
    if given is None:
        return None
    if not isinstance(given, list) or len(given) > MOST_CONVERSATIONS:
        raise Invalid([Fault("conversation_ids", "type", f"must be a list of {MOST_CONVERSATIONS} ids at most")])
    wrong = [
        Fault(f"conversation_ids.{i}", "type", "must be an id")
        for i, id in enumerate(given)
        if not isinstance(id, int) or isinstance(id, bool) or not 0 < id < 2**53
    ]
    if not wrong:
        async with call.door.database.reading(call.organization_id) as connection:
            found = {row[0] for row in await connection.fetch(ARE_THERE, call.organization_id, given)}
        wrong = [
            Fault(f"conversation_ids.{i}", "reference", "names no conversation", id=id)
            for i, id in enumerate(given)
            if id not in found
        ]
    if wrong:
        raise Invalid(wrong)
    return [cast(int, id) for id in given]


async def draft_of(call: Call) -> Draft:
    """What a PATCH with the draft would make, with all its checks. It is made and taken back."""
    given = {name: call.body[name] for name in call.data if name in call.body and name not in OWN}
    draft: Draft | None = None
    try:
        async with call.door.database.transaction(call.organization_id) as connection:
            before = await _row(call, connection)
            tools = await _offered(call, connection)
            done = await call.door.call(
                call.caller, "ai-assistants", "patch", id=call.id, data=given, tx=connection
            )  # fmt: skip
            row = await _row(call, connection)
            changed = {name: row[name] for name in row if name in given or row[name] != before[name]}
            gained = tools_json(tools, await _offered(call, connection))
            draft = Draft(config_of(before), row, changed, gained, done.value.get("warnings", []))
            raise _Undone
    except _Undone:
        assert draft is not None
        return draft


async def _row(call: Call, connection: Connection) -> dict[str, object]:
    row = await connection.fetchrow(CURRENT, call.organization_id, call.id)
    if row is None:
        raise NotFound(f"No record found for id '{call.id}' in 'ai-assistants'.")
    return dict(row)


async def _offered(call: Call, connection: Connection) -> list[Json]:
    table = await call.door.call(call.caller, "ai-assistants-permissions", "get", id=call.id, tx=connection)
    return cast("list[Json]", table.value["offered"])


@dataclass
class Replay:
    """One run over a period; `tally` has what was found, `done` the last conversation."""

    database: Database
    clock: Clock
    period: Period
    draft: Draft
    is_now: bool = False
    tally: Tally = field(default_factory=Tally)
    patience: float = PATIENCE
    batch: int = rows.BATCH
    is_complete: bool = True
    done: int = 0
    timeline: Timeline = field(default_factory=Timeline)
    reminds: bool = False
    days: Costs | None = None

    def __post_init__(self) -> None:
        self.latest = config_of({**self.draft.row, "deleted_at": None})

    async def run(self) -> None:
        """One moment of the record for the whole run, whatever is written meanwhile."""
        self.began, self.done = self.clock.monotonic(), self.period.after
        async with (
            self.database.reading(self.period.organization_id) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await self._read_timeline(connection)
            while ids := await rows.conversations(connection, self.period, self.done, self.batch):
                if self.done > self.period.after and self._is_late():
                    self.is_complete = False
                    return
                heard, places, is_whole = await rows.decisions(connection, self.period, ids, self._is_late)
                talks = {id: list(each) for id, each in groupby(heard, key=lambda each: each.conversation_id)}
                await self._learn(connection, {each.version for each in heard if each.version is not None})
                before = await self._before(connection, talks, places)
                stored = await self._reminded(connection, talks)
                # Beside the loop, which has other requests to answer meanwhile.
                is_whole &= await asyncio.to_thread(self._judge, talks, before, stored)
                if not is_whole:
                    self.is_complete = False
                    return
                self.done = ids[-1]

    def _is_late(self) -> bool:
        return self.clock.monotonic() - self.began >= self.patience

    async def _read_timeline(self, connection: Connection) -> None:
        """Reminders are looked at where the draft has rules for them, or had them at any time of the period."""
        self.timeline.times, self.timeline.versions, was = await reminder_rows.timeline(connection, self.period)
        drafted = self.latest if self.is_now or "follow_up_config" in self.draft.changed else None
        self.reminds = was or (drafted is not None and bool(drafted.follow_up.in_force))
        if self.reminds:
            await self._learn(connection, set(self.timeline.versions))

    async def _learn(self, connection: Connection, versions: Collection[int]) -> None:
        """The versions that are new in this batch, each parsed once."""
        then, drafts = self.timeline.then, self.timeline.drafts
        wanted = set(versions) - then.keys()
        for version, snapshot in (await rows.snapshots(connection, self.period, wanted)).items() if wanted else ():
            whole: dict[str, object] = {**snapshot, "deleted_at": None}
            then[version] = config_of(whole)
            drafted = self.latest if self.is_now else config_of({**whole, **self.draft.changed})
            drafts[version] = replace(drafted, version=version)

    async def _before(
        self, connection: Connection, talks: Mapping[int, Sequence[Heard]], places: Mapping[int, int]
    ) -> dict[int, Before]:
        """Read only where a rule of the draft looks at it, which most do not."""
        drafts = [self.latest, *self.timeline.drafts.values()]
        ids, counts, costs = list(talks), dict[int, int](), dict[int, Costs]()
        if any(isinstance(rule, MessageCount) for draft in drafts for rule in draft.human_handoff.looked_up):
            first = {id: each[0] for id, each in talks.items()}
            counts = await rows.counts_before(connection, self.period, first, places)
        if any(draft.options.budget.is_limited for draft in drafts):
            costs = await rows.costs_of_conversations(connection, self.period, ids)
            self.days = self.days or await rows.costs_of_days(connection, self.period)
        days = self.days or Costs()
        return {id: _before(counts.get(id, 0), costs.get(id, Costs()), days) for id in ids}

    async def _reminded(self, connection: Connection, talks: Mapping[int, Sequence[Heard]]) -> Stored:
        if not self.reminds:
            return Stored()
        turns = {each.turn_id for talk in talks.values() for each in talk if each.turn_id is not None}
        return await reminder_rows.stored(connection, self.period, list(talks), turns)

    def _judge(self, talks: Mapping[int, Sequence[Heard]], before: Mapping[int, Before], stored: Stored) -> bool:
        """All, or as many as there is time for; one in any case, so that who goes on gets on."""
        for id, heard in talks.items():
            if self.done > self.period.after and self._is_late():
                return False
            lane = Lane(self.period.assistant_id, self._then, self._drafted, before[id])
            outside = stored.outside.get(id)
            reminders = None if outside is None else Reminders(
                self.period.assistant_id, self.timeline, stored.recorded.get(id, ()), outside, self.period.end
            )  # fmt: skip
            self.tally.replay(lane, heard, reminders)
            self.done = id
        return True

    def _then(self, version: int | None) -> AssistantConfig | None:
        return None if version is None else self.timeline.then.get(version)

    def _drafted(self, version: int | None) -> AssistantConfig:
        """Of a message that nobody's configuration was asked about: the draft as it would be now."""
        return self.latest if version is None else self.timeline.drafts.get(version, self.latest)


def _before(count: int, own: Costs, days: Costs) -> Before:
    return Before(count, lambda at, cut: own.between(cut, at), days.of_day)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
