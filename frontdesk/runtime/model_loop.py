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
    ToolReturnPart,
)
from pydantic_ai.result import FinalResult
from pydantic_ai.toolsets.abstract import AbstractToolset
from pydantic_ai.usage import UsageLimits
from pydantic_graph import End

from frontdesk.assistants.json_keys import FINAL_ANSWER
from frontdesk.core.clock import Clock
from frontdesk.runtime.budget import cost_of
from frontdesk.runtime.budget_check import check_budget
from frontdesk.runtime.drafts import SentenceStream
from frontdesk.runtime.final_answer import (
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
from frontdesk.runtime.mended import mended, parted
from frontdesk.runtime.model_failure import FAILURES, ModelTimedOut
from frontdesk.runtime.model_source import ResolvedModel
from frontdesk.runtime.prompt import Prompt
from frontdesk.runtime.reply_draft import ReplyDraft
from frontdesk.runtime.tool_failures import check_failures
from frontdesk.runtime.tooling import AwaitsPerson, CallRecord, CallStatus, ToolDeps, unique_call_ids
from frontdesk.runtime.toolless import without_tools
from frontdesk.runtime.turns import LEASE

AgentNode = UserPromptNode[ToolDeps, str] | ModelRequestNode[ToolDeps, str] | CallToolsNode[ToolDeps, str]
Node = AgentNode | End[FinalResult[str]]
Run = AgentRun[ToolDeps, str]

STEP_SECONDS = 120.0  # one answer of the model
DRAFT_EVERY = 0.15  # seconds between two drafts; a screen shows no more
RENEW_EVERY = LEASE.total_seconds() / 3

AGENT: Agent[ToolDeps, str] = Agent(None, deps_type=ToolDeps, output_type=str, name="frontdesk", retries=2)


class DraftPace:
    """Drafts by whole sentences, and not more often than a screen needs."""

    def __init__(self, clock: Clock, show: Callable[[str], Awaitable[None]]) -> None:
        self._clock, self._show = clock, show
        self.restart()

    def restart(self) -> None:
        self._stream, self._shown_at, self._half = SentenceStream(), -DRAFT_EVERY, ""

    async def feed(self, delta: str) -> None:
        whole, self._half = parted(self._half + delta)
        if self._stream.feed(whole):
            now = self._clock.monotonic()
            if now - self._shown_at >= DRAFT_EVERY:
                self._shown_at = now
                await self._show(self._stream.released)


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
    _draft: DraftPace = field(init=False)
    _answers: Answers | None = field(init=False)  # of an assistant with `additional_json_keys`
    _reply: ReplyDraft = field(init=False, default_factory=ReplyDraft)

    def __post_init__(self) -> None:
        self._draft = DraftPace(self.held.clock, self.held.show_draft)
        self._answers = answers_of(self.held)

    async def run(self) -> Answer:
        """What the turn ends with. Raises the failures of `model_failure.py`, `LeaseLost` and `Superseded`."""
        if (answer := stored_answer(self.held)) is not None:
            return answer
        try:
            return await self._guarded()
        except FAILURES:
            # A correction that fails costs the values that were to be corrected, and not the reply.
            best = self._answers.best if self._answers is not None else None
            if best is None or not best.text.strip():
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
        while True:
            await self.held.clock.sleep(RENEW_EVERY)
            await self.held.renew()
            if self.held.clock.monotonic() - self._step_began > STEP_SECONDS:
                raise ModelTimedOut(f"no complete answer within {STEP_SECONDS:.0f} s")

    async def _iterate(self) -> Answer:
        history = self.history if self.resolved.takes_tools else without_tools(self.history)
        messages: list[ModelMessage] = [*history.messages]
        if history.pending is not None:
            messages.append(history.pending)
        elif self._answers is not None:
            messages += self._answers.open_exchange
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
                    node = await self._call_tools(run, node)
                elif (answer := self._answers.taken) is not None:
                    return answer
                elif (given := self._answers.to_correct) is not None:
                    node = await self._correct(self._answers, given)
                else:
                    node = await self._call_tools_first(run, node)
            return Answer(node.data.output)

    async def _correct(self, answers: Answers, given: Given) -> Node:
        """Ask once more, with a sentence that names what was wrong; it stands in the trace beside the call."""
        for call in given.calls:
            await self._log_answer(call, "failed", given.sentence(by_call=answers.by_call))
        return ModelRequestNode(answers.correction(given))

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
                await self._show(self._said(event))
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


async def _next(run: Run, node: AgentNode) -> Node:
    return cast(Node, await run.next(node))


def answers_of(held: HeldTurn) -> Answers | None:
    """What the turn's model has answered so far, where the assistant asks for values; None where it does not."""
    keys = held.config.json_keys.root
    return Answers(keys, held.steps, by_call=held.config.model_takes_tools) if keys else None


def stored_answer(held: HeldTurn) -> Answer | None:
    """The final answer, if the turn was killed after it had been committed."""
    if (answers := answers_of(held)) is not None:
        return answers.taken
    last = max((step for step in held.steps if step.kind == "model"), key=lambda step: step.position, default=None)
    if last is None:
        return None
    response = ModelMessagesTypeAdapter.validate_python(list(last.messages))[0]
    has_calls = any(isinstance(part, ToolCallPart) for part in response.parts)
    text = "".join(p.content for p in response.parts if isinstance(p, TextPart))
    return None if has_calls or not text.strip() else Answer(text)


def ends_with_a_question(history: History) -> bool:
    """Whether there is anything to answer."""
    return history.pending is not None or (bool(history.messages) and isinstance(history.messages[-1], ModelRequest))
