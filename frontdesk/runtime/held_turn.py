"""A turn in hand: every write of it carries the lease, and zero rows end the work silently."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelResponse

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.handoff_config import Condition
from frontdesk.core.clock import Clock
from frontdesk.core.database import SOON, Connection, Database
from frontdesk.core.errors import Json
from frontdesk.core.live import CHANNEL, payload
from frontdesk.runtime import approvals, decisions, passing_on, pictures, thread, turns
from frontdesk.runtime.assistant_reading import Assistants
from frontdesk.runtime.budget import day_of, local_day
from frontdesk.runtime.final_answer import Output
from frontdesk.runtime.handoff import Cause, Handoffs, can_hand_over
from frontdesk.runtime.renewals import Renewals
from frontdesk.runtime.signs import quiet
from frontdesk.runtime.tool_history import StoredStep, step_of
from frontdesk.runtime.tooling import (
    AssistantView,
    CallRecord,
    CallToApprove,
    LeaseLost,
    PassOn,
    Permit,
    Picture,
    StoredCall,
    Superseded,
    Transfer,
    fingerprint,
)
from frontdesk.runtime.turns import LEASE, Turn, let_go
from frontdesk.runtime.unknown_calls import UnknownCall, called, tell_unknown

# Ours: the token is, nobody took its place, and the conversation is still in the turn's epoch.
_OURS = """t.organization_id = $1 AND t.id = $2 AND t.lease_token = $3 AND t.status <> 'ended'
        AND t.superseded_by_message_id IS NULL
        AND c.organization_id = $1 AND c.id = t.conversation_id AND c.epoch = t.epoch"""

HOLD = f"""
    UPDATE ai_turns t SET lease_expires_at = $4, effects_started = t.effects_started OR $5
    FROM conversations c WHERE {_OURS} RETURNING t.id
"""
WHY = "SELECT lease_token, superseded_by_message_id FROM ai_turns WHERE organization_id = $1 AND id = $2"
START_EFFECTS = """
    UPDATE ai_turns SET effects_started = true
    WHERE organization_id = $1 AND id = $2 AND lease_token = $3 AND superseded_by_message_id IS NULL RETURNING id
"""
DELIVER = f"""
    UPDATE ai_turns t SET status = 'delivering', effects_started = t.effects_started OR $6, due_at = $5,
        lease_expires_at = $4, updated_at = $5, version = t.version + 1
    FROM conversations c WHERE {_OURS} RETURNING t.id
"""
PREPARED = f"""
    UPDATE ai_turns t SET prompt = $5, tools = $6, model = $7, images = $8, lease_expires_at = $4
    FROM conversations c WHERE {_OURS} RETURNING t.id, {SOON}
"""
CHOSE = f"""
    UPDATE ai_turns t SET fallback_ai_model_id = $5, model = $6, model_trials = $7, lease_expires_at = $4
    FROM conversations c WHERE {_OURS} RETURNING t.id
"""
TRIALS = f"""
    UPDATE ai_turns t SET model_trials = $5, lease_expires_at = $4 FROM conversations c WHERE {_OURS} RETURNING t.id
"""
STEPS = """
    SELECT position, kind, status, messages, tool_name, call_id, arguments, result, created_at FROM ai_turn_steps
    WHERE organization_id = $1 AND ai_turn_id = $2 ORDER BY position
"""
# One statement: the step, the turn's sums, the day's sums. What the step asks for is committed for good, and this with
# it, before anything outside is changed.
MODEL_STEP = f"""
    WITH held AS (
        UPDATE ai_turns t SET lease_expires_at = $4, input_tokens = t.input_tokens + $8,
            output_tokens = t.output_tokens + $9,
            cost = CASE WHEN $10::numeric IS NULL THEN t.cost ELSE coalesce(t.cost, 0) + $10 END
        FROM conversations c WHERE {_OURS} RETURNING t.id, t.private_to_user_id
    ), spent AS (
        INSERT INTO ai_daily_usage AS u (organization_id, day, input_tokens, output_tokens, cost)
        SELECT $1, $12, $8, $9, coalesce($10, 0) FROM held
        ON CONFLICT (organization_id, day) DO UPDATE SET input_tokens = u.input_tokens + excluded.input_tokens,
            output_tokens = u.output_tokens + excluded.output_tokens, cost = u.cost + excluded.cost
    ), of_assistant AS (
        INSERT INTO ai_assistant_daily_usage AS u (organization_id, ai_assistant_id, day, input_tokens, output_tokens,
            cost)
        SELECT $1, $15, $16, $8, $9, coalesce($10, 0) FROM held
        ON CONFLICT (organization_id, ai_assistant_id, day) DO UPDATE SET
            input_tokens = u.input_tokens + excluded.input_tokens,
            output_tokens = u.output_tokens + excluded.output_tokens, cost = u.cost + excluded.cost
    )
    INSERT INTO ai_turn_steps (organization_id, ai_turn_id, position, kind, status, messages, ai_model_id, model,
        is_change, duration_ms,
        input_tokens, output_tokens, cost, created_at, updated_at, private_to_user_id)
    SELECT $1, held.id, $5, 'model', 'done', $6, $13::bigint, $14::text,
        false, $7, $8, $9, $10, $11, $11, held.private_to_user_id FROM held
    RETURNING id, {SOON}
"""
CALL = f"""
    INSERT INTO ai_turn_steps (organization_id, ai_turn_id, position, kind, status, tool_name, call_id, arguments,
        result, is_change, duration_ms, input_tokens, output_tokens, created_at, updated_at, private_to_user_id)
    SELECT $1, $2, $3, 'tool', $4, $5, $6, $7, $8, $9, $10, 0, 0, $11, $11, t.private_to_user_id
    FROM ai_turns t WHERE t.organization_id = $1 AND t.id = $2
    ON CONFLICT (organization_id, ai_turn_id, call_id) WHERE call_id IS NOT NULL
    DO UPDATE SET status = excluded.status, result = excluded.result, duration_ms = excluded.duration_ms,
        updated_at = excluded.updated_at, version = ai_turn_steps.version + 1
    RETURNING CASE WHEN NOT $9 THEN {SOON} END
"""
# A draft reaches the customer's screen, so it heeds the live record as a part does.
DRAFT = f"""
    WITH moved AS (
        UPDATE ai_turns t SET draft = $5, draft_seq = $6, lease_expires_at = $4
        FROM conversations c, ai_assistants a WHERE {_OURS} AND NOT c.blocked
            AND a.organization_id = $1 AND a.id = t.ai_assistant_id AND NOT a.disable_reply AND a.deleted_at IS NULL
        RETURNING t.id
    )
    SELECT pg_notify($7, $8), {SOON} FROM moved
"""

# How the decision tells a hand-off that no rule asked for, by how the turn ended.
AFTER = {"claim_without_receipt": "handed_off_after_claim"}


@dataclass
class HeldTurn:
    """The handle that loop, tools and delivery share. It implements `TurnHandle` of `tooling.py`.

    Raises `LeaseLost` where somebody else has the turn, `Superseded` where its inbound or epoch is not the newest.
    """

    database: Database
    clock: Clock
    assistants: Assistants
    turn: Turn
    config: AssistantConfig
    steps: list[StoredStep] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    output: Output | None = None  # the values beside the reply, kept when the answer is committed
    handoffs: Handoffs = field(default_factory=Handoffs)
    renewals: Renewals | None = None  # shared by all turns of a process
    hops: tuple[int, ...] = ()
    has_newer: bool = True  # inbounds may wait for the next turn; known for certain when this one ends
    answering: tuple[int | None, str] = (None, "")  # the model that is asked: its id and its name in words
    model_trials: list[dict[str, Json]] = field(default_factory=list)  # models that failed or were passed over
    next_model_id: int | None = None  # of the model that takes over from one that fails
    waiting: set[str] = field(default_factory=set)  # calls of the step in hand that a person has to approve
    _position: int = 0
    _draft_seq: int = 0

    def __post_init__(self) -> None:
        self._draft_seq = self.turn.draft_seq
        self.model_trials = json.loads(self.turn.model_trials or "[]")

    @property
    def turn_id(self) -> int:
        return self.turn.id

    @property
    def organization_id(self) -> int:
        return self.turn.organization_id

    @property
    def conversation_id(self) -> int:
        return self.turn.conversation_id

    @property
    def _lease(self) -> tuple[object, ...]:
        return self.organization_id, self.turn_id, self.turn.lease_token, self.clock.now() + LEASE

    async def load_steps(self) -> None:
        """What was done before, by this process or by one that is gone."""
        async with self.database.reading(self.organization_id) as connection:
            rows = await connection.fetch(STEPS, self.organization_id, self.turn_id)
        self.steps = [step_of(dict(row)) for row in rows]
        self.calls = Counter(
            fingerprint(row["tool_name"], json.loads(row["arguments"] or "{}")) for row in rows if row["kind"] == "tool"
        )
        self._position = max((step.position for step in self.steps), default=0)

    @asynccontextmanager
    async def transaction(self, *, locks_conversation: bool = False) -> AsyncIterator[Connection]:
        """One step's transaction, the lease renewed in it and the turn's row locked to its end."""
        async with self.database.transaction(self.organization_id) as connection:
            if locks_conversation:
                await thread.lock(connection, self.organization_id, self.conversation_id)
            await self.hold(connection)
            yield connection

    async def hold(self, connection: Connection, *, for_effects: bool = False) -> None:
        """Renew the lease, and commit to the effects if asked. Raises `LeaseLost` or `Superseded`."""
        if await connection.fetchval(HOLD, *self._lease, for_effects) is None:
            raise await self._why(connection)

    async def start_delivery(self, connection: Connection, *, for_effects: bool) -> None:
        """As `hold`; the answer stands in the outbox from now on. Raises `LeaseLost` or `Superseded`."""
        if await connection.fetchval(DELIVER, *self._lease, self.clock.now(), for_effects) is None:
            raise await self._why(connection)

    async def renew(self) -> None:
        async with self.database.reading(self.organization_id) as connection:
            await self.hold(connection)

    @contextmanager
    def waiting_long(self) -> Iterator[Callable[[], Awaitable[None]]]:
        """For a wait outside: gives what waits until the lease has to be renewed, and renews it.

        Those of all turns of the process are renewed together. Raises `LeaseLost` or `Superseded`.
        """
        renewals = self.renewals or Renewals(self.database, self.clock)
        with renewals.of(self.organization_id, self.turn_id, str(self.turn.lease_token)) as lease:

            async def renewed() -> None:
                if not await renewals.wait(lease):
                    await self.renew()

            yield renewed

    async def let_go(self) -> None:
        """The process is told to stop: somebody else may go on at once."""
        async with self.database.reading(self.organization_id) as connection:
            await let_go(connection, self.turn, self.clock.now())

    async def _why(self, connection: Connection) -> LeaseLost | Superseded:
        row = await connection.fetchrow(WHY, self.organization_id, self.turn_id)
        if row is None or row["lease_token"] != self.turn.lease_token:
            return LeaseLost("somebody else has the turn")
        return Superseded("a newer message or epoch took the turn's place")

    async def prepared(self, prompt: str, tools: Json, model: Json, images: Json) -> None:
        """What the turn starts with and keeps: prompt, offered tools, model, and which images it was given."""
        async with self.database.reading(self.organization_id) as connection:
            arguments = (*self._lease, prompt, *map(json.dumps, (tools, model, images)))
            if await connection.fetchval(PREPARED, *arguments) is None:
                raise await self._why(connection)

    async def chose(self, fallback_id: int | None, model: Json) -> None:
        """Which model answers from here on, and what became of those before it."""
        async with self.database.reading(self.organization_id) as connection:
            arguments = (*self._lease, fallback_id, json.dumps(model), json.dumps(self.model_trials))
            if await connection.fetchval(CHOSE, *arguments) is None:
                raise await self._why(connection)

    async def keep_trials(self) -> None:
        """Commit what became of the models so far."""
        async with self.database.reading(self.organization_id) as connection:
            if await connection.fetchval(TRIALS, *self._lease, json.dumps(self.model_trials)) is None:
                raise await self._why(connection)

    async def record_model_step(self, response: ModelResponse, started: datetime, cost: Decimal | None) -> None:
        """Commit one answer of the model, before anything that it asks for is done."""
        now = self.clock.now()
        self._position += 1
        stored = ModelMessagesTypeAdapter.dump_json([response]).decode()
        stored = stored.replace("\\u0000", "\\ufffd")
        took = round((now - started).total_seconds() * 1000)
        usage = response.usage
        async with self.database.reading(self.organization_id) as connection:
            row = await connection.fetchval(
                MODEL_STEP, *self._lease, self._position, stored, took, usage.input_tokens, usage.output_tokens, cost,
                now, day_of(now), *self.answering, self.turn.ai_assistant_id, local_day(now, self.config.timezone),
            )  # fmt: skip
            if row is None:
                raise await self._why(connection)
        self.steps.append(StoredStep(self._position, "model", messages=json.loads(stored), created_at=now))

    def take_position(self) -> int:
        """The place of the next step."""
        self._position += 1
        return self._position

    async def stored_call(self, call_id: str) -> StoredCall | None:
        for step in reversed(self.steps):  # an intent stands before its outcome
            if step.kind == "tool" and step.call_id == call_id:
                return StoredCall(str(step.tool_name), step.status, step.result)
        return None

    async def start_effects(self, connection: Connection) -> None:
        """Commit to the effects; superseding waits for this row and then finds it too late, or was first."""
        arguments = (self.organization_id, self.turn_id, self.turn.lease_token)
        if await connection.fetchval(START_EFFECTS, *arguments) is None:
            raise await self._why(connection)

    async def hand_over(self, connection: Connection, transfer: Transfer) -> None:
        """The model's own hand-off, by the rule that it judged."""
        rule = self.config.human_handoff.rule(transfer.rule_id)
        assert rule is not None
        words = [rule.description] if isinstance(rule, Condition) else []
        detail = " — ".join([*words, *([transfer.reason] if transfer.reason else [])]) or None
        await self.give_away(connection, Cause(rule.type, rule.id, detail, transfer.summary), "handed_off")

    async def pass_on(self, connection: Connection, to: PassOn) -> None:
        """The next assistant answers the same messages in a turn of its own, so their decisions wait again."""
        now, organization_id = self.clock.now(), self.organization_id
        config = await self.assistants.current(connection, organization_id, self.turn.ai_assistant_id)
        assert config is not None
        await passing_on.pass_on(connection, self.turn, config, to.assistant_id, to.reason, to.summary, now)
        await decisions.release(connection, organization_id, self.turn_id, now)
        await turns.end(connection, self.turn, "handed_to_assistant", now)
        await quiet(connection, self.turn)

    async def give_away(
        self, connection: Connection, cause: Cause, reason: str, error: str | None = None,
        failure: Mapping[str, Json] | None = None,
    ) -> bool:  # fmt: skip
        """Hand the conversation to a person and end the turn with `reason`, under the conversation's lock.

        `failure` are the facts of one that no rule asked for. False where the live record has nobody to hand to.
        """
        now, where = self.clock.now(), (self.organization_id, self.conversation_id)
        talk = await thread.read(connection, *where)
        config = await self.assistants.current(connection, self.organization_id, self.turn.ai_assistant_id)
        if talk is None or config is None or not can_hand_over(config, talk):
            return False
        handed = await self.handoffs.to_person(
            connection, talk, config, cause, now, turn_id=self.turn_id, is_muted=self.turn.is_muted
        )
        await turns.end(connection, self.turn, reason, now, error)
        facts = {**handed.facts, "cause": cause.text, **(failure or {})}
        code = "handed_off" if failure is None else reason
        if failure is not None and "failure" in failure:
            code = AFTER.get(reason, "handed_off_after_failure")
        await decisions.settle(connection, self.organization_id, self.turn_id, "handed_off", code, now, facts)
        await quiet(connection, self.turn)
        return True

    async def record_call(self, connection: Connection, call: CallRecord) -> None:
        now = self.clock.now()
        self._position += 1
        await connection.execute(
            CALL, self.organization_id, self.turn_id, self._position, call.status, call.tool_name, call.call_id,
            json.dumps(call.arguments), json.dumps(call.result), call.is_change, call.duration_ms, now,
        )  # fmt: skip
        self.steps.append(
            StoredStep(self._position, "tool", call.status, (), call.tool_name, call.call_id, call.result, now)
        )

    async def queue_image(self, connection: Connection, call_id: str, picture: Picture) -> Json:
        return await pictures.queue(connection, self.turn, call_id, picture, self.clock.now())

    async def record_outcome(self, call: CallRecord) -> None:
        overtaken: Superseded | None = None
        async with self.database.transaction(self.organization_id) as connection:
            if call.status == "unknown":
                # The note below needs the conversation, and whoever needs both locks it before the turn.
                await thread.lock(connection, self.organization_id, self.conversation_id)
            try:
                await self.hold(connection)
            except Superseded as lost:
                overtaken = lost
            await self.record_call(connection, call)
            if call.status == "unknown":
                where = (self.organization_id, self.conversation_id, self.turn_id, self.turn.ai_assistant_id)
                told = UnknownCall(*where, called(call), call.call_id)
                await tell_unknown(connection, told, self.config.instructions_language, self.clock.now())
        if overtaken is not None:
            raise overtaken

    async def permit(self, connection: Connection, call: CallToApprove) -> Permit:
        return await approvals.permit(connection, self.turn, call, self.clock.now())

    def awaits(self, call_id: str) -> None:
        self.waiting.add(call_id)

    async def current_assistant(self, connection: Connection) -> AssistantView:
        return await self.assistants.live(
            connection, self.organization_id, self.turn.ai_assistant_id, self.conversation_id
        )

    async def show_draft(self, text: str) -> None:
        """Store the draft and tell the open pages, in one statement."""
        self._draft_seq += 1
        body: dict[str, Json] = {
            "turn_id": self.turn_id, "epoch": self.turn.epoch, "seq": self._draft_seq, "text": text,
        }  # fmt: skip
        event = payload(self.organization_id, self.conversation_id, "draft", body)
        async with self.database.reading(self.organization_id) as connection:
            await connection.execute(DRAFT, *self._lease, text, self._draft_seq, CHANNEL, event)

    def call_ids(self) -> set[str]:
        """Ids that the turn has used: those of calls with a row, and of calls that the model asked for."""
        parts = (part for step in self.steps for message in step.messages for part in _parts(message))
        asked = {str(part["tool_call_id"]) for part in parts if part.get("tool_call_id")}
        return asked | {step.call_id for step in self.steps if step.call_id}


def _parts(message: Json) -> list[dict[str, Json]]:
    parts = message.get("parts") if isinstance(message, dict) else None
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
