"""Follow-ups: scheduled when an answer has gone out, looked at again when they are due, at most one at a time.

The timer is a moment in a row; the sweeper rings when it is due. A bell may ring twice, late, or on two machines:
under the conversation's lock everything is checked against the live state, and what goes out goes by the outbox with a
key of its own, or by a turn of its own.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, cast

import asyncpg

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.follow_up_endings import Why, end, stop
from frontdesk.assistants.follow_up_words import PREFIX
from frontdesk.core.capabilities import CAPABILITIES
from frontdesk.core.database import Connection
from frontdesk.core.door import Door
from frontdesk.core.errors import ApiError, Json
from frontdesk.core.events import emit
from frontdesk.core.jobs import PATIENT, enqueue
from frontdesk.runtime import decisions, evidence, fence, outbox, thread, turns
from frontdesk.runtime.assistant_reading import Assistants
from frontdesk.runtime.follow_up_checks import Case, check, next_opening
from frontdesk.runtime.gates import Decision
from frontdesk.runtime.outbox import Content, Draft
from frontdesk.runtime.parts import SINGLE, split_for
from frontdesk.runtime.templates import filled_of
from frontdesk.runtime.thread import DOORBELL, Conversation
from frontdesk.runtime.turns import Turn

FOLLOW_UP_DOORBELL = "follow-up"
BUSY = timedelta(minutes=1)  # until it is looked at again where somebody is at work in the conversation
# Of one process, so that customers who wait for an answer find connections and time: conversations that are looked at,
# and those whose model or provider is waited for as well.
LOOKS, AT_ONCE = 4, 24

# Only where the answer still stands: who has taken the conversation meanwhile has nothing to be reminded of.
SCHEDULE = """
    INSERT INTO ai_follow_ups (organization_id, conversation_id, ai_assistant_id, rule_id, config_version, mode, status,
        due_at, rings_at, answered_at, answer_turn_id, epoch, episode, stops_on_reply, created_at, updated_at)
    SELECT $1, c.id, $3, r.id, $5, r.mode, 'scheduled', d.due_at, d.due_at, $6, $7, c.epoch, c.episode, $8, $6, $6
    FROM conversations c, jsonb_to_recordset($9::jsonb) AS r(id text, mode text, minutes integer),
        LATERAL (SELECT $6::timestamptz + make_interval(mins => r.minutes) AS due_at) d
    WHERE c.organization_id = $1 AND c.id = $2 AND c.assigned_ai_assistant_id = $3 AND c.epoch = $4
        AND c.kind IN ('conversation', 'ticket') AND c.status NOT IN ('closed', 'resolved') AND c.deleted_at IS NULL
        AND (SELECT count(*) FROM ai_follow_ups f WHERE f.organization_id = $1 AND f.conversation_id = $2
            AND f.episode = c.episode AND f.status IN ('sending', 'sent')) < $10
    ON CONFLICT DO NOTHING RETURNING id
"""
DUE = """
    SELECT id, ai_assistant_id, rule_id, epoch FROM ai_follow_ups
    WHERE organization_id = $1 AND conversation_id = $2 AND status = 'scheduled' AND due_at <= $3 ORDER BY id FOR UPDATE
"""
STATE = """
    SELECT k.deleted_at IS NOT NULL AS is_contact_deleted, k.opted_out_at IS NOT NULL AS has_opted_out,
        (SELECT m.sender FROM conversation_messages m WHERE m.organization_id = $1 AND m.conversation_id = $2
            AND m.message_type NOT IN ('note', 'reaction') ORDER BY m.position DESC LIMIT 1) AS last_sender,
        (SELECT count(*) FROM ai_follow_ups f WHERE f.organization_id = $1 AND f.conversation_id = $2
            AND f.episode = c.episode AND f.status IN ('sending', 'sent')) AS sent,
        EXISTS (SELECT FROM ai_follow_ups f WHERE f.organization_id = $1 AND f.conversation_id = $2
            AND f.status = 'sending') AS is_sending,
        EXISTS (SELECT FROM ai_decisions d WHERE d.organization_id = $1 AND d.conversation_id = $2
            AND d.outcome = 'pending') AS is_waiting
    FROM conversations c LEFT JOIN contacts k ON k.organization_id = c.organization_id AND k.id = c.contact_id
    WHERE c.organization_id = $1 AND c.id = $2
"""
LATER = "UPDATE ai_follow_ups SET rings_at = $3 WHERE organization_id = $1 AND id = ANY($2)"
PUT_OFF = """
    UPDATE ai_follow_ups SET due_at = $3, rings_at = $3, gates = $4, updated_at = $5, version = version + 1
    WHERE organization_id = $1 AND id = $2
"""
SENDING = """
    UPDATE ai_follow_ups SET status = 'sending', mode = $3, gates = $4, ai_turn_id = $5, updated_at = $6,
        version = version + 1
    WHERE organization_id = $1 AND id = $2
"""


async def schedule(connection: Connection, assistants: Assistants, turn: Turn, now: datetime) -> None:
    """After an answer, in the transaction that ends its turn: each rule in force now, once. Those of the answer before
    it are over."""
    config = await assistants.current(connection, turn.organization_id, turn.ai_assistant_id)
    if config is None or config.deleted_at is not None or not config.hands_over or not config.follow_up.in_force:
        return
    talk = await thread.read(connection, turn.organization_id, turn.conversation_id)
    rules = [rule for rule in config.follow_up.in_force if talk is not None and rule.is_for(talk.channel)]
    await stop(connection, turn.organization_id, [turn.conversation_id], "newer_answer", now)
    if not rules:
        return
    wanted = [{"id": rule.id, "mode": rule.mode, "minutes": rule.after_minutes} for rule in rules]
    rows = await connection.fetch(
        SCHEDULE, turn.organization_id, turn.conversation_id, config.id, turn.epoch, config.version, now, turn.id,
        config.follow_up.stops_on_reply, json.dumps(wanted), config.follow_up.max_per_conversation,
    )  # fmt: skip
    await emit(connection, turn.organization_id, "ai-follow-ups", "created", *(row["id"] for row in rows))


class Sending(Protocol):
    """What the spine does with what was queued."""

    async def advance(self, organization_id: int, conversation_id: int) -> None: ...

    async def deliver_lines(self, talk: Conversation) -> None: ...


class FollowUps:
    """What a worker does when the bell of a conversation's follow-ups rings.

    What is queued is sent at once by `sending`, a few at a time; without it the conversation's bell is rung.
    """

    def __init__(self, door: Door, sending: Sending | None = None) -> None:
        self.database, self.clock, self.sending = door.database, door.clock, sending
        self.assistants = Assistants()
        self._looks, self._at_once = asyncio.Semaphore(LOOKS), asyncio.Semaphore(AT_ONCE)

    async def look(self, organization_id: int, conversation_id: int) -> None:
        """Judge what is due, send at most one of it. Safe to ring twice, late, or on two machines."""
        async with self._at_once:
            async with self._looks:
                queued = await self._look(organization_id, conversation_id)
                if queued is None or self.sending is None:
                    return
                talk, is_line = queued
                known = CAPABILITIES.get(talk.channel)
                if is_line and known is not None and known.is_local:
                    await self.sending.deliver_lines(talk)
                    return
            if is_line:
                await self.sending.deliver_lines(talk)
            else:
                await self.sending.advance(organization_id, conversation_id)

    async def _look(self, organization_id: int, conversation_id: int) -> tuple[Conversation, bool] | None:
        """The conversation in which something was queued, and whether that is a line and no turn."""
        async with self.database.transaction(organization_id) as connection:
            now = self.clock.now()
            talk = await thread.lock(connection, organization_id, conversation_id)
            if talk is None:
                await stop(connection, organization_id, [conversation_id], "conversation_deleted", now)
                return None
            rows = await connection.fetch(DUE, organization_id, conversation_id, now)
            state = await connection.fetchrow(STATE, organization_id, conversation_id) if rows else None
            if state is None:
                return None
            if await self._is_busy(connection, talk, state):
                await connection.execute(LATER, organization_id, [row["id"] for row in rows], now + BUSY)
                return None
            way = await self._judge(connection, talk, rows, state, now)
        return None if way is None else (talk, way != "ai")

    async def _is_busy(self, connection: Connection, talk: Conversation, state: asyncpg.Record) -> bool:
        """An answer or another follow-up is on its way: what comes after it is decided after it."""
        if talk.is_over or talk.assigned_ai_assistant_id is None:
            return False
        if state["is_sending"] or state["is_waiting"]:
            return True
        return await turns.find_open(connection, talk.organization_id, talk.id) is not None

    async def _judge(
        self, connection: Connection, talk: Conversation, rows: Sequence[asyncpg.Record], state: asyncpg.Record,
        now: datetime,
    ) -> str | None:  # fmt: skip
        """Of several that fall on one moment (hours, a worker that was away) the last one stands for all.

        Gives how the one that goes out is made.
        """
        judged = [await self._case(connection, talk, row, state, now) for row in rows]
        judged.sort(key=lambda one: one[1].rule.after_minutes if one[1].rule is not None else 0, reverse=True)
        sent: str | None = None
        for id, case, config in judged:
            decision = check(case, config, now)
            if (later := next_opening(decision)) is not None:
                gates = json.dumps(decision.gates_json())
                await connection.execute(PUT_OFF, talk.organization_id, id, later, gates, now)
            elif decision.outcome != "answer":
                await _cancel(connection, talk, id, decision, now)
            elif sent is not None:
                await end(connection, talk.organization_id, [id], "cancelled", "overtaken", now)
            else:
                assert config is not None
                sent = await self._send(connection, talk, id, case, config, decision, now)
        return sent

    async def _case(
        self, connection: Connection, talk: Conversation, row: asyncpg.Record, state: asyncpg.Record, now: datetime
    ) -> tuple[int, Case, AssistantConfig | None]:
        config = await self.assistants.current(connection, talk.organization_id, row["ai_assistant_id"])
        window = await fence.window_of(connection, talk)
        case = Case(
            row["ai_assistant_id"], row["rule_id"], row["epoch"], talk.epoch, talk.channel,
            config.follow_up.rule(row["rule_id"]) if config is not None else None,
            await evidence.collect(connection, talk, config, now), state["last_sender"], state["sent"],
            window is None or window.is_open(now), state["is_contact_deleted"], state["has_opted_out"],
        )  # fmt: skip
        return row["id"], case, config

    async def _send(
        self, connection: Connection, talk: Conversation, id: int, case: Case, config: AssistantConfig,
        decision: Decision, now: datetime,
    ) -> str | None:  # fmt: skip
        """Queue it: a line in the outbox, or a turn that writes it. None where its template cannot be sent."""
        where, way, rule = (talk.organization_id, talk.id), case.way, case.rule
        assert rule is not None
        turn_id, text, content = None, rule.message or "", outbox.PLAIN
        if way == "template":
            data: dict[str, object] = {"template_id": rule.template_id, "template_values": rule.template_values}
            try:
                text, values = await filled_of(connection, talk.organization_id, data, talk.inbox_channel_id)
            except ApiError as error:
                await _unusable(connection, talk, id, decision, error, now)
                return None
            content = Content("template", template=values)
        if way == "ai":
            turn = await turns.open_turn(
                connection, talk, assistant_id=config.id, version=config.version, is_muted=False, due_at=now,
                deadline=None, positions=(talk.last_position, talk.last_position), now=now, follow_up_id=id,
            )  # fmt: skip
            turn_id = turn.id
        else:
            parts = split_for(talk.channel, text, SINGLE) if way == "fixed" else ()
            texts = [part.text for part in parts] or [text]
            drafts = [
                Draft(said, "follow_up", f"follow-up-{id}-{i}", i, content=content, follow_up_id=id)
                for i, said in enumerate(texts, 1)
            ]
            await outbox.add(connection, *where, None, talk.epoch, config.id, drafts, now)
        await connection.execute(
            SENDING, talk.organization_id, id, way, json.dumps(decision.gates_json()), turn_id, now
        )  # fmt: skip
        if self.sending is None:
            await enqueue(connection, DOORBELL, *where, priority=PATIENT)
        return way


async def _cancel(connection: Connection, talk: Conversation, id: int, decision: Decision, now: datetime) -> None:
    why = _why(decision, decision.reason, decision.decisive.verdict.facts if decision.decisive else {})
    reason = decision.reason.removeprefix(PREFIX)
    await end(connection, talk.organization_id, [id], "cancelled", reason, now, why)


async def _unusable(
    connection: Connection, talk: Conversation, id: int, decision: Decision, error: ApiError, now: datetime
) -> None:
    """The template is gone, not approved any more, or wants other values than the rule has."""
    told = cast("dict[str, str]", getattr(error, "errors", {}))
    detail = "; ".join(f"{path} {said}" for path, said in told.items()) or error.message
    reason = "template_unusable"
    why = _why(decision, PREFIX + reason, {"detail": detail})
    await end(connection, talk.organization_id, [id], "failed", reason, now, why)


def _why(decision: Decision, code: str, facts: dict[str, Json]) -> Why:
    return Why(decisions.told_of(code, facts), decision.gates_json(), decision.gate, decision.config_path)
