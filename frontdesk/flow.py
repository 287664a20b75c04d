"""The spine after `reception.py`: decide → answer → deliver. Each step ends in a commit, so a crash is resumed.

One doorbell, `conversation`, rings for everything: `advance` looks at what is due in that conversation and does it, as
often as it rings, on whatever machine. The rules are those of `docs/why` on who may speak.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pydantic_ai.exceptions import ModelAPIError, UnexpectedModelBehavior

from frontdesk.assistants.config import AssistantConfig, Language
from frontdesk.assistants.web_search import WEB_SEARCH
from frontdesk.channels.protocol import Channel, LocalChannel, Media, Outgoing, Unconnected
from frontdesk.core.caller import Caller, Role
from frontdesk.core.capabilities import CAPABILITIES
from frontdesk.core.clock import Clock
from frontdesk.core.database import Connection, Database
from frontdesk.core.door import Door
from frontdesk.core.file_kinds import key_of
from frontdesk.core.jobs import enqueue
from frontdesk.runtime import approvals, decisions, evidence, follow_up_turns, outbox, thread, turns
from frontdesk.runtime.approval_wait import wait_for_person
from frontdesk.runtime.assistant_reading import Assistants
from frontdesk.runtime.decisions import Undecided
from frontdesk.runtime.delivery import Carrier, Delivery
from frontdesk.runtime.envelope import address
from frontdesk.runtime.final_answer import Answer
from frontdesk.runtime.gates import Decision, evaluate
from frontdesk.runtime.giving_up import give_up
from frontdesk.runtime.handoff import Cause, Handoffs, RuleMatched
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.images import ImageReader
from frontdesk.runtime.less import less_for
from frontdesk.runtime.look_back import look_back
from frontdesk.runtime.mended import has_words
from frontdesk.runtime.model_choice import check_runs, choose, verdict_of
from frontdesk.runtime.model_failure import FAILURES, Failure
from frontdesk.runtime.model_loop import ModelLoop, ends_with_a_question, settled_answer
from frontdesk.runtime.model_source import ModelSource, ResolvedModel, Toolbox
from frontdesk.runtime.outbox import Content, Draft, Kind, Part
from frontdesk.runtime.output_keeping import keep_output
from frontdesk.runtime.overtaking import bury, drop, is_overtaken
from frontdesk.runtime.parts import split_for
from frontdesk.runtime.pictures import with_links
from frontdesk.runtime.preparation import Ready, prepare
from frontdesk.runtime.renewals import Renewals
from frontdesk.runtime.signs import typing
from frontdesk.runtime.thread import DOORBELL, Conversation
from frontdesk.runtime.tooling import AwaitsPerson, HandedOver, LeaseLost, Superseded, ToolDeps
from frontdesk.runtime.turns import Turn


@dataclass
class Flow:
    """What a worker does when a conversation's bell rings."""

    door: Door
    models: ModelSource
    toolbox: Toolbox
    channels: Mapping[str, Channel]
    assistants: Assistants = field(default_factory=Assistants)

    def __post_init__(self) -> None:
        self.database: Database = self.door.database
        self.clock: Clock = self.door.clock
        self.delivery = Delivery(self.database, self.clock, self.door, self.assistants)
        self.handoffs = Handoffs(self.door.mail.is_on)
        self.images = ImageReader(self.door)
        self.renewals = Renewals(self.database, self.clock)
        if self.door.search_engine is None:
            self.assistants.missing = {**self.assistants.missing, WEB_SEARCH: "no_search_engine"}
        self._running: dict[int, asyncio.Task[object]] = {}

    async def advance(self, organization_id: int, conversation_id: int) -> None:
        """The doorbell's handler: do all that is due, then return. Safe to call twice, late, or on two machines."""
        while (work := await self.decide(organization_id, conversation_id)) is not None:
            talk, held = work
            try:
                if held is None:
                    await self.deliver_lines(talk)
                elif (drafts := await self.answer(talk, held)) is not None:
                    await self.deliver(talk, held, drafts)
                    await self._look_back(talk, held)
                if held is not None and not held.has_newer:
                    return
            except (LeaseLost, Superseded):
                continue
            except asyncio.CancelledError:
                # This process is told to stop: another one goes on at once.
                if held is not None:
                    await asyncio.shield(held.let_go())
                raise

    async def decide(self, organization_id: int, conversation_id: int) -> tuple[Conversation, HeldTurn | None] | None:
        """Who speaks now? Gives the turn to work on, its lease taken; no turn: only lines are due; None: nothing."""
        async with self.database.transaction(organization_id) as connection:
            now = self.clock.now()
            talk = await thread.lock(connection, organization_id, conversation_id)
            if talk is None:
                self._stop(await bury(connection, organization_id, conversation_id, now))
                return None
            turn = await turns.find_open(connection, organization_id, conversation_id)
            if turn is not None and await self._drop_overtaken(connection, talk, turn, now):
                turn = None
            if turn is not None and turn.is_held(now):
                return await self._lines(connection, talk, now)
            if turn is not None and turn.was_begun:
                if turn.due_at > now and not await approvals.void_stale(connection, turn, now):
                    return await self._lines(connection, talk, now)
                return talk, await self._resume(connection, turn, now)
            undecided = await decisions.undecided(connection, organization_id, conversation_id)
            if not undecided and (turn is None or turn.due_at > now):
                return await self._lines(connection, talk, now)
            return await self._judge(connection, talk, turn, undecided, now)

    async def _lines(
        self, connection: Connection, talk: Conversation, now: datetime
    ) -> tuple[Conversation, None] | None:
        """Lines and people's messages wait for no turn, whoever works on it."""
        return (talk, None) if await outbox.has_lines(connection, talk.organization_id, talk.id, now) else None

    async def _judge(
        self, connection: Connection, talk: Conversation, turn: Turn | None, undecided: list[Undecided], now: datetime
    ) -> tuple[Conversation, HeldTurn | None] | None:
        """The gates, for new inbounds and once more when a burst window closes."""
        talk, config, returns = await self._owner(connection, talk, now)
        decision = evaluate(config, await evidence.collect(connection, talk, config, now), now)
        ids = [entry.id for entry in undecided]
        if decision.outcome in ("message", "silence", "handoff"):
            if turn is not None:
                ids += await decisions.of_turn(connection, talk.organization_id, turn.id)
                await turns.end(connection, turn, decision.reason, now)
            await decisions.decide(
                connection, talk.organization_id, ids, decision, assistant_id=talk.assigned_ai_assistant_id,
                turn_id=None, now=now,
            )  # fmt: skip
            if decision.outcome == "handoff":
                return await self._hand_over(connection, talk, config, decision, now)
            if decision.leaves and not returns:
                epoch = await thread.leave_unowned(connection, talk.organization_id, talk.id, decision.reason, now)
                talk = replace(talk, epoch=epoch)
            language: Language = config.instructions_language if config else "ENG"
            return await self._say_line(connection, talk, decision, max(ids), language, now)
        assert config is not None
        if returns:
            talk = await thread.assign(connection, talk, config.id, now)
        is_new = turn is None
        turn = await self._gather(connection, talk, turn, undecided, config, decision, now)
        if not is_new:
            ids += await decisions.of_turn(connection, talk.organization_id, turn.id)
        await decisions.decide(
            connection, talk.organization_id, ids, decision, assistant_id=config.id, turn_id=turn.id, now=now
        )
        if turn.due_at > now:
            await enqueue(connection, DOORBELL, talk.organization_id, talk.id, delay=turn.due_at - now)
            return None
        is_muted = decision.outcome == "analyse"
        if turn.is_gathering:
            turn = await turns.begin(
                connection, turn, version=config.version, is_muted=is_muted, last=turn.last_position, now=now
            )
        if not is_muted:
            await typing(connection, turn)
        return talk, HeldTurn(
            self.database, self.clock, self.assistants, turn, config, handoffs=self.handoffs, renewals=self.renewals
        )

    async def _owner(
        self, connection: Connection, talk: Conversation, now: datetime
    ) -> tuple[Conversation, AssistantConfig | None, bool]:
        """The owner's configuration; a conversation that nobody owns yet is given to its channel's assistant.

        True for an assistant that could not answer and is asked again: it has the conversation when the gates let it.
        """
        talk = await thread.without_departed(connection, talk, now)
        if (found := await evidence.channel_assistant(connection, talk)) is not None:
            talk = await thread.assign(connection, talk, found, now)
        if (returning := await evidence.returning_assistant(connection, talk, now)) is not None:
            talk = replace(talk, assigned_ai_assistant_id=returning)
        if talk.assigned_ai_assistant_id is None:
            return talk, None, False
        config = await self.assistants.current(connection, talk.organization_id, talk.assigned_ai_assistant_id)
        return talk, config, returning is not None

    async def _gather(
        self, connection: Connection, talk: Conversation, turn: Turn | None, undecided: list[Undecided],
        config: AssistantConfig, decision: Decision, now: datetime,
    ) -> Turn:  # fmt: skip
        """The turn of these inbounds. A burst waits for its window after the last of them, up to its bound.

        A file, a place or a button ends it at once.
        """
        due_at, deadline = now, None
        if config.enable_message_burst_handling and undecided:
            burst = config.options.burst
            deadline = undecided[0].created_at + timedelta(seconds=burst.max_seconds)
            due_at = min(undecided[-1].created_at + timedelta(seconds=burst.window_seconds), deadline)
            due_at = now if any(inbound.ends_burst for inbound in undecided) else due_at
        if turn is None:
            return await turns.open_turn(
                connection, talk, assistant_id=config.id, version=config.version,
                is_muted=decision.outcome == "analyse", due_at=due_at, deadline=deadline,
                positions=(undecided[0].position, undecided[-1].position), now=now, begins=due_at <= now,
            )  # fmt: skip
        if not undecided:
            return turn
        due_at = min(due_at, turn.burst_deadline) if turn.burst_deadline else due_at
        return await turns.extend(connection, turn, due_at, undecided[-1].position, now)

    async def _say_line(
        self, connection: Connection, talk: Conversation, decision: Decision, decision_id: int, language: Language,
        now: datetime,
    ) -> tuple[Conversation, None] | None:  # fmt: skip
        """A stop may come with a fixed line for the customer. Of a member nobody need hide why there is no answer."""
        speaker = talk.assigned_ai_assistant_id
        if decision.line is not None:
            kind: Kind = "out_of_schedule" if decision.gate == "schedule" else "budget"
            line = Draft(decision.line, kind, f"line-{decision_id}")
        elif talk.is_staff_chat:
            # It is said by the platform, for the assistant may be the very one that is not to speak.
            speaker, line = None, Draft(decision.explain(language).why, "fixed_line", f"line-{decision_id}")
        else:
            return await self._lines(connection, talk, now)
        await outbox.add(connection, talk.organization_id, talk.id, None, talk.epoch, speaker, [line], now)
        return talk, None

    async def _hand_over(
        self, connection: Connection, talk: Conversation, config: AssistantConfig | None, decision: Decision,
        now: datetime,
    ) -> tuple[Conversation, None] | None:  # fmt: skip
        """A gate gives the conversation to a person: no model is asked."""
        match = decision.decisive.verdict.hands_over if decision.decisive else None
        assert config is not None
        assert match is not None
        cause = Cause(match.rule, match.rule_id, match.detail)
        await self.handoffs.to_person(connection, talk, config, cause, now)
        return await self._lines(connection, talk, now)

    async def _resume(self, connection: Connection, turn: Turn, now: datetime) -> HeldTurn:
        """Go on with a turn whose holder is gone, or whose pause is over, with the configuration it started with."""
        config = await self.assistants.at(connection, turn.organization_id, turn.ai_assistant_id, turn.config_version)
        turn = await turns.resume(connection, turn, now)
        if turn.ai_follow_up_id is not None:
            config = follow_up_turns.only_reading(config)
        return HeldTurn(
            self.database, self.clock, self.assistants, turn, config, handoffs=self.handoffs, renewals=self.renewals
        )

    async def _drop_overtaken(self, connection: Connection, talk: Conversation, turn: Turn, now: datetime) -> bool:
        """End a turn that a newer inbound or a newer epoch has overtaken."""
        if not is_overtaken(talk, turn):
            return False
        await drop(connection, talk, turn, now)
        self._stop(turn)
        return True

    def _stop(self, turn: Turn | None) -> None:
        """Where this very process runs the model of a turn that is over, it need not wait for it."""
        if turn is not None and (task := self._running.get(turn.id)) is not None:
            task.cancel()

    # -- answer -------------------------------------------------------------------------------

    async def answer(self, talk: Conversation, held: HeldTurn) -> list[Draft] | None:
        """Run the model, each step committed; gives the answer's parts. None: nothing is to be delivered (yet)."""
        if held.turn.status == "delivering":
            return []
        task = asyncio.create_task(self._run_model(talk, held))
        self._running[held.turn_id] = task
        try:
            answer = await task
            text = None if answer is None else answer.text
            held.output = None if answer is None else answer.output
            if text is not None and not has_words(text) and not held.turn.is_muted:
                raise UnexpectedModelBehavior("an answer without a word")
        except FAILURES as failure:
            await self._fail(held, failure)
            return None
        except RuleMatched as due:
            await self._end_by_rule(held, due.cause)
            await self.deliver_lines(talk)
            return None
        except AwaitsPerson:
            await wait_for_person(held)
            return None
        except HandedOver:
            # Before the next turn, which may be another assistant's, the customer reads what became of this one.
            await self.deliver_lines(talk)
            return None
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if (current := asyncio.current_task()) is not None and current.cancelling():
                raise
            raise Superseded("overtaken, as this very process has seen") from None
        finally:
            self._running.pop(held.turn_id, None)
        return await self._cut(talk, held, text)

    async def _run_model(self, talk: Conversation, held: HeldTurn) -> Answer | None:
        """What the turn ends with, or None where there is nothing to answer."""
        if held.turn.attempts > 1:
            await held.load_steps()
            check_runs(held.turn)
            if (answer := settled_answer(held)) is not None:
                return answer
        resolved = await choose(self.models, held)
        ready = await prepare(held, talk, resolved, self.images)
        if not ends_with_a_question(ready.history):
            return None
        try:
            return await self._ask(talk, held, resolved, ready)
        except ModelAPIError as failure:
            less = await less_for(failure, held, ready)
            if less is None:
                raise
            # What the model did not take is taken away, once; tools that have run are in the history.
            again = await prepare(
                held, talk, resolved, self.images, is_refused=less.is_without_images, at_most=less.tokens
            )
            return await self._ask(talk, held, resolved, again)

    async def _ask(self, talk: Conversation, held: HeldTurn, resolved: ResolvedModel, ready: Ready) -> Answer:
        caller = Caller(
            talk.organization_id, None, Role.member, ai_assistant_id=held.config.id, via="tool", conversation_id=talk.id
        )
        deps = ToolDeps(caller, self.door, self.clock, held, held.config)
        shows = self._channel(talk.channel).shows_drafts and not (held.turn.is_muted or held.turn.ai_follow_up_id)
        loop = ModelLoop(held, resolved, deps, self.toolbox.toolset(), ready.prompt, ready.history, shows)
        return await loop.run()

    async def _cut(self, talk: Conversation, held: HeldTurn, text: str | None) -> list[Draft] | None:
        """The answer's parts; without any, the turn ends here."""
        turn = held.turn
        is_declined = bool(text and turn.ai_follow_up_id and follow_up_turns.is_declined(text))
        text = None if is_declined else text
        answer = None if text is None or turn.is_muted else with_links(text, held.steps)
        if parts := () if answer is None else split_for(talk.channel, answer, held.config.response):
            drafts = [
                Draft(part.text, "answer", f"turn-{turn.id}-{i}", i, part.delay_seconds)
                for i, part in enumerate(parts, 1)
            ]
            return [replace(drafts[0], structured_output=held.output.values), *drafts[1:]] if held.output else drafts
        async with self.database.transaction(turn.organization_id) as connection:
            await thread.lock(connection, turn.organization_id, turn.conversation_id)
            await held.hold(connection)
            if held.output is not None:
                await keep_output(connection, self.door, held, held.output)
            unsaid = "nothing_to_say" if turn.ai_follow_up_id else "nothing_to_answer"
            reason = unsaid if text is None else "reply_disabled"
            held.has_newer = await self.delivery.finish(connection, turn, reason)
        return None

    async def _end_by_rule(self, held: HeldTurn, cause: Cause) -> None:
        """A rule that matched in the middle of the turn hands the conversation over."""
        async with self.database.transaction(held.organization_id) as connection:
            await thread.lock(connection, held.organization_id, held.conversation_id)
            await held.hold(connection, for_effects=True)
            if not await held.give_away(connection, cause, "handed_off"):
                # It was switched off this very moment: whoever goes on asks the model again.
                await turns.let_go(connection, held.turn, self.clock.now())

    async def _look_back(self, talk: Conversation, held: HeldTurn) -> None:
        """After an answer that led nowhere the customer need not write once more to get a person."""
        if held.config.human_handoff.no_answer is None or held.turn.is_muted:
            return
        async with self.database.transaction(held.organization_id) as connection:
            is_over = await look_back(connection, held)
        if is_over:
            await self.deliver_lines(talk)

    async def _fail(self, held: HeldTurn, failure: Failure) -> None:
        """Rule 14: again after a pause, else a person or one fixed line."""
        await give_up(held, failure, await verdict_of(self.models, held, failure))

    # -- deliver ------------------------------------------------------------------------------

    async def deliver(self, talk: Conversation, held: HeldTurn, drafts: list[Draft]) -> None:
        """Send the turn's parts in order, each behind the fence. Raises `LeaseLost`, `Superseded`."""
        await self.delivery.deliver(held, self._carrier(talk.channel), drafts)

    async def deliver_lines(self, talk: Conversation) -> None:
        """Send the lines that belong to no turn."""
        await self.delivery.deliver_lines(talk.organization_id, talk.id, self._carrier(talk.channel))

    def _carrier(self, name: str) -> Carrier:
        channel = self._channel(name)

        async def send(talk: Conversation, part: Part) -> str | None:
            said, envelope = part.content, await address(self.database, talk, part)
            return await channel.send(Outgoing(
                talk.organization_id, talk.id, talk.contact_id, talk.inbox_channel_id, part.text, part.idempotency_key,
                envelope.address, said.message_type,
                self._media(said),
                said.template, said.location, said.emoji, said.reply_to, said.reaction_to,
                subject=envelope.subject, headers=envelope.headers, sender=envelope.sender,
            ))  # fmt: skip

        return Carrier(channel.is_local, channel.takes_keys, send)

    def _media(self, said: Content) -> Media:
        """The file, with an address that the provider can fetch."""
        key = None if said.media_url else key_of(said.s3_path)
        url = self.door.files.download_url(key) if key else said.media_url
        return Media(url, said.s3_path, said.file_name, said.file_type, said.file_size)

    def _channel(self, name: str) -> Channel:
        """The channel of this name; one that no provider can have (a form's tickets) is read from our own rows."""
        known = self.channels.get(name) or (LocalChannel(name) if name == thread.AI_CHAT else None)
        return known or (Unconnected(name) if name in CAPABILITIES else LocalChannel(name, shows_drafts=False))
