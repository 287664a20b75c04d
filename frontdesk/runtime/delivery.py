"""Deliver: parts in order, each after the one before was accepted, each behind the fence of epoch and live revocations.

People's messages go before the parts of a turn that are still waiting, because they have their place in the thread
already; at a provider one message of a conversation is under way at a time, so that the customer reads them in order.

A part is handed over at least once, always with the same key. Where the provider takes no keys, a part that is found in
`sending` after a crash is tried once more and flagged; after that its outcome stays unknown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from frontdesk.core.clock import Clock
from frontdesk.core.database import Connection, Database
from frontdesk.core.door import Door
from frontdesk.core.errors import ApiError, Unavailable
from frontdesk.core.jobs import enqueue
from frontdesk.runtime import decisions, fence, follow_up_turns, follow_ups, outbox, thread, turns
from frontdesk.runtime.assistant_reading import Assistants
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.outbox import Draft, Part
from frontdesk.runtime.output_keeping import keep_output
from frontdesk.runtime.signs import quiet, typing
from frontdesk.runtime.thread import DOORBELL, Conversation
from frontdesk.runtime.turns import Turn

SEND_WITHIN = timedelta(seconds=60)  # after this a claimed line may be claimed again
MOST_SENDS = 5
PAUSE = timedelta(seconds=5)  # before a part that was not accepted is sent again, doubled each time
# How long a part waits for a person's message that is with the provider, and the other way round.
NEXT_TURN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Carrier:
    """How a conversation's channel takes a part. `is_local`: storing the message is delivering it."""

    is_local: bool
    takes_keys: bool
    send: Callable[[Conversation, Part], Awaitable[str | None]]


class Delivery:
    def __init__(self, database: Database, clock: Clock, door: Door, assistants: Assistants) -> None:
        self.database, self.clock, self.door, self.assistants = database, clock, door, assistants

    async def deliver(self, held: HeldTurn, carrier: Carrier, drafts: Sequence[Draft]) -> None:
        """Store new parts, send those that are due, end the turn after the last. Raises `LeaseLost`, `Superseded`."""
        while (step := await self._next_part(held, carrier, drafts)) is not None:
            talk, part = step
            drafts = ()
            if not await self._hand_over(talk, part, carrier, held.turn):
                return

    async def deliver_lines(self, organization_id: int, conversation_id: int, carrier: Carrier) -> None:
        """Send the single lines that belong to no turn."""
        while (step := await self._next_line(organization_id, conversation_id, carrier)) is not None:
            if not await self._hand_over(*step, carrier, None):
                return

    async def _next_part(
        self, held: HeldTurn, carrier: Carrier, drafts: Sequence[Draft]
    ) -> tuple[Conversation, Part] | None:
        """The part to hand to the provider, claimed; local parts are stored on the way. None: nothing left to do."""
        turn = held.turn
        async with self.database.transaction(turn.organization_id) as connection:
            now = self.clock.now()
            talk = await thread.lock(connection, turn.organization_id, turn.conversation_id)
            if talk is None:
                return None
            # A part that may be with the provider goes first: the lines wait for it, and a new part for the lines.
            gives_way = not carrier.is_local and await outbox.has_open_lines(connection, talk.organization_id, talk.id)
            # From the first part on no newer inbound takes the turn's place; values that are kept count as one.
            begin = held.start_delivery if drafts else held.hold
            await begin(connection, for_effects=not gives_way or held.output is not None)
            if drafts:
                bell = (turn.organization_id, turn.conversation_id)
                await outbox.add(connection, *bell, turn.id, turn.epoch, turn.ai_assistant_id, drafts, now)
                if held.output is not None:
                    await keep_output(connection, self.door, held, held.output)
            parts = await outbox.open_parts(connection, turn.organization_id, turn.conversation_id, turn.id)
            while parts:
                part = parts[0]
                if part.status == "pending" and part.due_at > now:
                    await self._pause(connection, turn, part)
                    return None
                if gives_way and part.status == "pending":
                    await self._give_way(connection, turn)
                    return None
                if (reason := await self._revoked(connection, held, talk, carrier)) is not None:
                    await outbox.close(connection, turn.organization_id, parts, "withdrawn", reason, now)
                    held.has_newer = await self.finish(connection, turn, reason)
                    return None
                if part.is_image and await self._is_withheld(connection, held):
                    await outbox.close(connection, turn.organization_id, [part], "withdrawn", "images_off", now)
                    parts = await self._after(connection, talk, parts)
                    continue
                if not carrier.is_local and not await self._is_hopeless(connection, talk, part, carrier):
                    await outbox.claim(connection, turn.organization_id, part, now + SEND_WITHIN, now)
                    return talk, part
                if carrier.is_local:
                    await self._accepted(connection, talk, part)
                parts = await self._after(connection, talk, parts)
            held.has_newer = await self.finish(connection, turn, "answered")
        return None

    async def _next_line(
        self, organization_id: int, conversation_id: int, carrier: Carrier
    ) -> tuple[Conversation, Part] | None:
        async with self.database.transaction(organization_id) as connection:
            now = self.clock.now()
            talk = await thread.lock(connection, organization_id, conversation_id)
            if talk is None:
                return None
            lines = await outbox.open_parts(connection, organization_id, conversation_id, None)
            if lines and not carrier.is_local and await outbox.is_sending(connection, organization_id, conversation_id):
                await self._let_pass(connection, talk, lines[0])
                return None
            for line in lines:
                part = await outbox.with_content(connection, organization_id, line)
                if part.due_at > now:
                    return None
                if (reason := await fence.line_barred(connection, talk, part, now)) is not None:
                    # What a person wrote and did not take back has failed, and they must see it.
                    is_lost = part.is_written and part.status == "pending" and reason != "message_deleted"
                    status = "failed" if is_lost else "withdrawn"
                    await outbox.close(connection, organization_id, [part], status, reason, now)
                elif carrier.is_local:
                    await self._accepted(connection, talk, part)
                elif not await self._is_hopeless(connection, talk, part, carrier):
                    await outbox.claim(connection, organization_id, part, now + SEND_WITHIN, now)
                    return talk, part
        return None

    async def _hand_over(self, talk: Conversation, part: Part, carrier: Carrier, turn: Turn | None) -> bool:
        """Give the part to the provider, with no transaction open. False when the rest has to wait or is over."""
        organization_id = talk.organization_id
        try:
            external_id = await carrier.send(talk, part)
        except Unavailable as error:
            async with self.database.transaction(organization_id) as connection:
                await self._not_accepted(connection, talk, part, turn, error.message)
            return False
        except ApiError as error:
            async with self.database.transaction(organization_id) as connection:
                await thread.lock(connection, organization_id, talk.id)
                await self._refused(connection, talk, part, turn, error.message)
            return part.is_image
        async with self.database.transaction(organization_id) as connection:
            await thread.lock(connection, organization_id, talk.id)
            # Who took longer than a lease may find that another worker has sent it too, and said so.
            taken = await outbox.placed(connection, organization_id, part)
            if taken is not None:
                await self._accepted(connection, talk, taken, external_id)
            if turn is not None and taken is not None:
                parts = await outbox.open_parts(connection, organization_id, talk.id, turn.id)
                await self._after(connection, talk, [part, *parts])
        return True

    async def _accepted(
        self, connection: Connection, talk: Conversation, part: Part, external_id: str | None = None
    ) -> None:
        """The message is said: it gets its place, the part is closed, the open pages are told."""
        now = self.clock.now()
        if (message_id := part.message_id) is not None:
            await outbox.mark_sent(connection, talk.organization_id, message_id, external_id, now)
        else:
            message = outbox.message_of(part, "sent", external_id)
            message_id, _ = await thread.append(connection, talk.organization_id, talk.id, message, now)
        flag = "sent_again_after_unknown" if part.status == "sending" else None
        await outbox.sent(connection, talk.organization_id, part, message_id, flag, now)

    async def _after(self, connection: Connection, talk: Conversation, parts: list[Part]) -> list[Part]:
        """The parts that are left; the next one waits its pause from now on."""
        rest = parts[1:]
        if rest and rest[0].delay_seconds:
            due_at = self.clock.now() + timedelta(seconds=rest[0].delay_seconds)
            rest[0] = await outbox.delay(connection, talk.organization_id, rest[0], due_at)
        return rest

    async def _is_hopeless(self, connection: Connection, talk: Conversation, part: Part, carrier: Carrier) -> bool:
        """A second crash while handing over, at a provider without keys: whether it arrived stays unknown."""
        if carrier.takes_keys or part.status != "sending" or part.attempts < 2:
            return False
        now = self.clock.now()
        await outbox.close(connection, talk.organization_id, [part], "unknown", "delivery_unknown", now)
        return True

    async def _not_accepted(
        self, connection: Connection, talk: Conversation, part: Part, turn: Turn | None, why: str
    ) -> None:
        if part.attempts + 1 >= MOST_SENDS:
            await thread.lock(connection, talk.organization_id, talk.id)
            await self._refused(connection, talk, part, turn, why)
            if turn is not None and part.is_image:
                await self._give_way(connection, turn)  # the words follow in a moment
            return
        now = self.clock.now()
        due_at = now + PAUSE * 2**part.attempts
        await outbox.again(connection, talk.organization_id, part, why, due_at, now)
        if turn is not None:
            await turns.postpone(connection, turn, "delivering", due_at, now)
        await enqueue(connection, DOORBELL, talk.organization_id, talk.id, delay=due_at - now)

    async def _refused(
        self, connection: Connection, talk: Conversation, part: Part, turn: Turn | None, why: str
    ) -> None:
        if await outbox.placed(connection, talk.organization_id, part) is None:
            return
        now, is_unknown = self.clock.now(), part.status == "sending"  # a crash lies before this refusal
        await outbox.close(connection, talk.organization_id, [part], "unknown" if is_unknown else "failed", why, now)
        if turn is not None and not part.is_image:
            rest = await outbox.open_parts(connection, talk.organization_id, talk.id, turn.id)
            await outbox.close(connection, talk.organization_id, rest, "withdrawn", "delivery_failed", now)
            await self.finish(connection, turn, "delivery_unknown" if is_unknown else "delivery_failed", error=why)

    async def _pause(self, connection: Connection, turn: Turn, part: Part) -> None:
        now = self.clock.now()
        await turns.postpone(connection, turn, "delivering", part.due_at, now)
        await typing(connection, turn)  # a screen took it away with the part before
        await enqueue(connection, DOORBELL, turn.organization_id, turn.conversation_id, delay=part.due_at - now)

    async def _give_way(self, connection: Connection, turn: Turn) -> None:
        """A person's message is on its way: the turn goes on right after it."""
        now = self.clock.now()
        await turns.postpone(connection, turn, "delivering", now + NEXT_TURN, now)
        await enqueue(connection, DOORBELL, turn.organization_id, turn.conversation_id, delay=NEXT_TURN)

    async def _let_pass(self, connection: Connection, talk: Conversation, line: Part) -> None:
        """A part of a turn is with the provider at this moment: the line follows it."""
        now = self.clock.now()
        if line.due_at <= now:
            await outbox.delay(connection, talk.organization_id, line, now + NEXT_TURN)
            await enqueue(connection, DOORBELL, talk.organization_id, talk.id, delay=NEXT_TURN)

    async def _is_withheld(self, connection: Connection, held: HeldTurn) -> bool:
        """Whether images were switched off since this one was queued; the words go on without it."""
        return not (await held.current_assistant(connection)).config.can_send_images

    async def _revoked(
        self, connection: Connection, held: HeldTurn, talk: Conversation, carrier: Carrier
    ) -> str | None:
        """What the live record and the channel say against sending, read before each part."""
        view = await held.current_assistant(connection)
        if view.is_blocked:
            return "contact_blocked"
        if view.config.deleted_at is not None:
            return "assistant_deleted"
        if view.config.disable_reply:
            return "reply_disabled"
        if barred := await fence.follow_up_barred(connection, talk.organization_id, held.turn.ai_follow_up_id):
            return barred
        if carrier.is_local:
            return None
        barred = await fence.contact_barred(connection, talk)
        return barred or await fence.channel_barred(connection, talk, "text", self.clock.now())

    async def finish(self, connection: Connection, turn: Turn, reason: str, error: str | None = None) -> bool:
        """End the turn; its inbounds' decisions say how. Under the conversation's lock. True: newer inbounds wait."""
        now = self.clock.now()
        sent, unknown, failed = await outbox.counts(connection, turn.organization_id, turn.conversation_id, turn.id)
        outcome: decisions.DecisionOutcome = "answered" if sent or unknown else "failed" if failed else "silent"
        if outcome == "silent" and (reason == "reply_disabled" or turn.is_muted):
            outcome = "muted"
        reason = "delivery_unknown" if reason == "answered" and unknown and not sent else reason
        has_newer = await turns.end(connection, turn, reason, now, error)
        await decisions.settle(connection, turn.organization_id, turn.id, outcome, reason, now)
        if turn.ai_follow_up_id is not None:
            await follow_up_turns.settle(connection, turn, reason, now)
        elif outcome == "answered":
            await follow_ups.schedule(connection, self.assistants, turn, now)
        await quiet(connection, turn, withdraw=not sent)
        return has_newer
