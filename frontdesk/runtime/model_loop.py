"""The model loop: Pydantic AI's, always streaming, each model step committed before what it asks for is done.

A turn that was killed goes on from its stored steps: the history is rebuilt from them, a response whose calls have not
all run is run again (calls that are done answer with their stored result), and a final text is not asked for twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import cast

from pydantic_ai import Agent, AgentRun, CallToolsNode, ModelRequestNode, UserPromptNode
from pydantic_ai.exceptions import ContentFilterError, UnexpectedModelBehavior
from pydantic_ai.messages import (
    AgentStreamEvent,
    InstructionPart,
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    RetryPromptPart,
    TextPart,
    TextPartDelta,
    ToolCallPart,
    ToolCallPartDelta,
    ToolReturnPart,
)
from pydantic_ai.result import FinalResult
from pydantic_ai.toolsets.abstract import AbstractToolset
from pydantic_ai.usage import UsageLimits
from pydantic_graph import End

from frontdesk.assistants.json_keys import FINAL_ANSWER
from frontdesk.core.clock import Clock
from frontdesk.core.prices import cost_of
from frontdesk.runtime.budget_check import check_budget
from frontdesk.runtime.drafts import SentenceStream
from frontdesk.runtime.failure_kinds import is_filtered
from frontdesk.runtime.final_answer import (
    NO_REPLY,
    TOO_EARLY,
    Answer,
    Answers,
    Given,
    answer_calls,
    answered,
    members_of,
    output_tool,
)
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.history import History
from frontdesk.runtime.mended import has_words, mended, parted
from frontdesk.runtime.model_failure import FAILURES, ClaimWithoutReceipt, ModelTimedOut
from frontdesk.runtime.model_source import ResolvedModel
from frontdesk.runtime.prompt import Prompt
from frontdesk.runtime.receipt_check import Again, DraftGate, ReceiptCheck, stored_text
from frontdesk.runtime.reply_draft import ReplyDraft
from frontdesk.runtime.tool_failures import check_failures
from frontdesk.runtime.tooling import AwaitsPerson, CallRecord, CallStatus, ToolDeps, unique_call_ids
from frontdesk.runtime.toolless import without_tools

AgentNode = UserPromptNode[ToolDeps, str] | ModelRequestNode[ToolDeps, str] | CallToolsNode[ToolDeps, str]
Node = AgentNode | End[FinalResult[str]]
Run = AgentRun[ToolDeps, str]

STEP_SECONDS = 120.0  # one answer of the model
STALL_SECONDS = 45.0  # of silence in the middle of one; before its first word a model may think
DRAFT_EVERY = 0.15  # seconds between two drafts; a screen shows no more

AGENT: Agent[ToolDeps, str] = Agent(None, deps_type=ToolDeps, output_type=str, name="frontdesk", retries=2)


class DraftPace:
    """Drafts by whole sentences, and not more often than a screen needs."""

    def __init__(self, clock: Clock, show: Callable[[str], Awaitable[None]], gate: DraftGate | None = None) -> None:
        self._clock, self._show, self._gate = clock, show, gate
        self.restart()

    def restart(self) -> None:
        self._stream, self._shown_at, self._half, self._last = SentenceStream(), -DRAFT_EVERY, "", ""
        if self._gate is not None:
            self._gate.restart()

    async def feed(self, delta: str) -> None:
        whole, self._half = parted(self._half + delta)
        if self._stream.feed(whole):
            text = self._stream.released if self._gate is None else await self._gate.allowed(self._stream.released)
            now = self._clock.monotonic()
            if text != self._last and now - self._shown_at >= DRAFT_EVERY:
                self._shown_at, self._last = now, text
                await self._show(text)


@dataclass
class ModelLoop:
    """One run of one turn. `shows_drafts` is false where nothing of an unfinished answer may be seen."""

    held: HeldTurn
    resolved: ResolvedModel
    deps: ToolDeps
    toolset: AbstractToolset[ToolDeps]
    prompt: Prompt
    history: History
    shows_drafts: bool
    _step_began: float = 0.0
    _heard_at: float | None = None  # when the answer that is being written went on
    _draft: DraftPace = field(init=False)
    _receipts: ReceiptCheck = field(init=False)
    _answers: Answers | None = field(init=False)  # of an assistant with `additional_json_keys`
    _reply: ReplyDraft = field(init=False, default_factory=ReplyDraft)

    def __post_init__(self) -> None:
        self._draft = DraftPace(self.held.clock, self.held.show_draft, DraftGate(self.held))
        self._answers = answers_of(self.held)
        self._receipts = ReceiptCheck(self.held, self.resolved)

    async def run(self) -> Answer:
        """What the turn ends with. Raises the failures of `model_failure.py`, `LeaseLost` and `Superseded`."""
        try:
            return await self._guarded()
        except ClaimWithoutReceipt:
            raise
        except FAILURES:
            # A correction that fails costs the values that were to be corrected, and not the reply.
            can_stand = self._answers is not None and not self._answers.is_refused
            best = self._answers.best if self._answers is not None and can_stand else None
            if best is None or not has_words(best.text):
                raise
            return best

    async def _guarded(self) -> Answer:
        """The loop, for as long as the turn is ours and the model answers in time."""
        self._step_began = self.held.clock.monotonic()
        work = asyncio.create_task(self._iterate())
        watch = asyncio.create_task(self._watch())
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (work, watch):
                task.cancel()
            await asyncio.gather(work, watch, return_exceptions=True)
        if not work.cancelled():
            return work.result()
        watch.result()
        raise asyncio.CancelledError

    async def _watch(self) -> None:
        """Keep the lease while a model or a tool is waited for, and see soon that it is not ours any more."""
        with self.held.waiting_long() as renewed:
            while True:
                await renewed()
                now = self.held.clock.monotonic()
                if self._heard_at is not None and now - self._heard_at > STALL_SECONDS:
                    raise ModelTimedOut(f"nothing more for {STALL_SECONDS:.0f} s in the middle of an answer")
                if now - self._step_began > STEP_SECONDS:
                    raise ModelTimedOut(f"no complete answer within {STEP_SECONDS:.0f} s")

    async def _iterate(self) -> Answer:
        history = self.history if self.resolved.takes_tools else without_tools(self.history)
        opening = await self._opening()
        if isinstance(opening, Answer):
            return opening
        messages: list[ModelMessage] = [*history.messages]
        if history.pending is not None:
            messages.append(history.pending)
        else:
            messages += opening
        # What moves is marked so, because providers cache the prompt up to it.
        instructions = [InstructionPart(self.prompt.stable)]
        if self.prompt.moving:
            instructions.append(InstructionPart(self.prompt.moving, dynamic=True))
        limits = UsageLimits(request_limit=self.held.config.options.max_tool_calls + 8)
        async with AGENT.iter(
            None, model=self.resolved.model, model_settings=self.resolved.settings, instructions=instructions,
            message_history=messages, deps=self.deps, toolsets=[self.toolset], usage_limits=limits,
            output_type=None if self._answers is None else output_tool(
                self.held.config.json_keys.root, by_call=self._answers.by_call
            ),
        ) as run:  # fmt: skip
            node = cast(Node, run.next_node)
            while not isinstance(node, End):
                if isinstance(node, ModelRequestNode):
                    node = await self._ask(run, node)
                elif not isinstance(node, CallToolsNode):
                    node = await _next(run, node)
                elif self._answers is None:
                    ended = await self._end_plainly(run, node)
                    if isinstance(ended, Answer):
                        return ended
                    node = ended
                elif (answer := self._answers.taken) is not None:
                    await self._refuse_blank(self._answers, answer)
                    if (checked := await self._checked(answer)) is not None:
                        return checked
                elif (given := self._answers.to_correct) is not None:
                    node = await self._correct(self._answers, given)
                else:
                    node = await self._call_tools_first(run, node)
            return Answer(node.data.output)

    async def _opening(self) -> Answer | list[ModelMessage]:
        """What stands behind the history of a turn that was killed after its last words: they are not asked for again,
        and are checked as if they had just come."""
        answer = stored_answer(self.held)
        if answer is None:
            return [] if self._answers is None else self._answers.open_exchange
        if self._answers is not None:
            return await self._checked(answer) or self._answers.open_exchange
        checked = await self._receipts.look(answer.text)
        return Answer(checked) if isinstance(checked, str) else [last_response(self.held), checked.request]

    async def _end_plainly(self, run: Run, node: CallToolsNode[ToolDeps, str]) -> Answer | Node:
        """The tools of a response, or its words where it calls none: the answer, if they may be sent."""
        text = words_of(node.model_response)
        if has_words(text) and not node.model_response.tool_calls:
            checked = await self._receipts.look(text)
            if isinstance(checked, Again):
                return ModelRequestNode(checked.request)
            if checked != text:
                return Answer(checked)
        return await self._call_tools(run, node)

    async def _checked(self, answer: Answer) -> Answer | None:
        """The answer with a reply that may be sent; None where the model has to give it once more."""
        assert self._answers is not None
        checked = await self._receipts.look(answer.text)
        if isinstance(checked, str):
            return replace(answer, text=checked)
        self._answers.refuse(checked.objection)
        return None

    async def _correct(self, answers: Answers, given: Given) -> Node:
        """Ask once more, with a sentence that names what was wrong; it stands in the trace beside the call."""
        for call in given.calls:
            await self._log_answer(call, "failed", answers.sentence(given))
        return ModelRequestNode(answers.correction(given))

    async def _refuse_blank(self, answers: Answers, answer: Answer) -> None:
        """Values without a reply, twice: the turn fails. Its calls get results, so that whoever is asked next (after
        a pause, or another model) is asked anew and not shown them as waiting."""
        if has_words(answer.text) or self.held.turn.is_muted:
            return
        for call in answers.last_calls:
            await self._log_answer(call, "failed", NO_REPLY)
        raise UnexpectedModelBehavior("values without a reply")

    async def _call_tools_first(self, run: Run, node: CallToolsNode[ToolDeps, str]) -> Node:
        """A reply that was written before the results of the tools beside it is not sent: it may promise too much."""
        early = answer_calls(node.model_response)
        if early:
            rest = [part for part in node.model_response.parts if part not in early]
            node = CallToolsNode(replace(node.model_response, parts=rest))
        following = await self._call_tools(run, node)
        if isinstance(following, ModelRequestNode):
            for call in early:
                await self._log_answer(call, "refused", TOO_EARLY)
            parts = [*following.request.parts, *(answered(call, TOO_EARLY, "denied") for call in early)]
            following = replace(following, request=replace(following.request, parts=parts))
        return following

    async def _log_answer(self, call: ToolCallPart, status: CallStatus, sentence: str) -> None:
        if await self.held.stored_call(call.tool_call_id) is not None:
            return
        record = CallRecord(call.tool_call_id, FINAL_ANSWER, members_of(call.args), status, sentence, False, 0)
        async with self.held.transaction() as connection:
            await self.held.record_call(connection, record)

    async def _ask(self, run: Run, node: ModelRequestNode[ToolDeps, str]) -> Node:
        """One answer of the model, shown as it comes, committed when it is whole."""
        await check_budget(self.held)
        clock = self.held.clock
        started, self._step_began = clock.now(), clock.monotonic()
        self._draft.restart()
        self._reply = ReplyDraft()
        async with node.stream(run.ctx) as stream:
            async for event in stream:
                if is_written(event):
                    self._heard_at = clock.monotonic()
                await self._show(self._said(event))
        self._heard_at = None
        following = await _next(run, node)
        if not isinstance(following, CallToolsNode):
            return following
        response = unique_call_ids(mended(following.model_response), self.held.call_ids())
        if response != following.model_response:
            following = CallToolsNode(response)
            run.all_messages()[-1] = response
        usage, model = response.usage, self.resolved
        cost = cost_of(usage.input_tokens, usage.output_tokens, model.price_input, model.price_output)
        await self.held.record_model_step(response, started, cost)
        if is_filtered(response):
            raise ContentFilterError("The provider's filter broke the answer off.")
        if self._answers is not None:
            self._answers.add(response)
        return following

    def _said(self, event: AgentStreamEvent) -> str:
        """What of an event the customer may see."""
        if self._answers is not None:
            # The reply that a correction repeats is on the screen already.
            return "" if self._answers.has_reply else self._reply.delta(event)
        if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
            return event.part.content
        if isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
            return event.delta.content_delta
        return ""

    async def _call_tools(self, run: Run, node: CallToolsNode[ToolDeps, str]) -> Node:
        """The tools log themselves; only calls that never reached one are logged here."""
        self._step_began = self.held.clock.monotonic()
        # A provider may send several calls though it was told not to, or cannot be told; they still run in order.
        with AGENT.parallel_tool_call_execution_mode(
            "parallel" if self.held.config.options.parallel_tool_calls else "sequential"
        ):
            following = await _next(run, node)
        if isinstance(following, ModelRequestNode):
            for part in following.request.parts:
                if isinstance(part, RetryPromptPart | ToolReturnPart):
                    await self._log_lost_call(node.model_response, part)
        if self.held.waiting:
            # What the framework holds as their results is nobody's: the step is run again from the store.
            raise AwaitsPerson
        await check_failures(self.held)
        return following

    async def _log_lost_call(self, response: ModelResponse, part: RetryPromptPart | ToolReturnPart) -> None:
        call = next((call for call in response.tool_calls if call.tool_call_id == part.tool_call_id), None)
        if call is None or call.tool_call_id in self.held.waiting:
            return
        if await self.held.stored_call(call.tool_call_id) is not None:
            return
        said = part.model_response() if isinstance(part, RetryPromptPart) else part.model_response_str()
        record = CallRecord(call.tool_call_id, call.tool_name, call.args_as_dict(), "failed", said, False, 0)
        async with self.held.transaction() as connection:
            await self.held.record_call(connection, record)

    async def _show(self, delta: str) -> None:
        if self.shows_drafts and delta:
            await self._draft.feed(delta)


def is_written(event: AgentStreamEvent) -> bool:
    """Whether it is a piece of the answer itself, words or a call, and not of the thoughts before it."""
    if isinstance(event, PartStartEvent):
        return isinstance(event.part, TextPart | ToolCallPart)
    return isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta | ToolCallPartDelta)


async def _next(run: Run, node: AgentNode) -> Node:
    return cast(Node, await run.next(node))


def answers_of(held: HeldTurn) -> Answers | None:
    """What the turn's model has answered so far, where the assistant asks for values; None where it does not."""
    keys = held.config.json_keys.root
    return Answers(keys, held.steps, by_call=held.config.model_takes_tools) if keys else None


def stored_answer(held: HeldTurn) -> Answer | None:
    """The final answer, if the turn was killed after it had been committed."""
    if (answers := answers_of(held)) is not None:
        taken = answers.taken
        return taken if taken is not None and (held.turn.is_muted or has_words(taken.text)) else None
    if not any(step.kind == "model" for step in held.steps):
        return None
    response = last_response(held)
    text = words_of(response)
    is_none = response.tool_calls or is_filtered(response) or not has_words(text)
    return None if is_none else Answer(text)


def settled_answer(held: HeldTurn) -> Answer | None:
    """The final answer, if it was committed and nothing has to be asked about it. Raises `ClaimWithoutReceipt`."""
    answer = stored_answer(held)
    text = None if answer is None else stored_text(held, answer.text)
    return None if answer is None or text is None else replace(answer, text=text)


def last_response(held: HeldTurn) -> ModelResponse:
    """What the model said last; there is such a step."""
    last = max((step for step in held.steps if step.kind == "model"), key=lambda step: step.position)
    response = ModelMessagesTypeAdapter.validate_python(list(last.messages))[0]
    assert isinstance(response, ModelResponse)
    return response


def words_of(response: ModelResponse) -> str:
    return "".join(part.content for part in response.parts if isinstance(part, TextPart))


def ends_with_a_question(history: History) -> bool:
    """Whether there is anything to answer."""
    return history.pending is not None or (bool(history.messages) and isinstance(history.messages[-1], ModelRequest))
