"""The built-in model as a Pydantic AI model: one JSON answer, translated into text or a tool call, and guarded."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from uuid import uuid4

from pydantic_ai.messages import ModelMessage
from pydantic_ai.models import ModelRequestParameters

from frontdesk.assistants.claims import claims_in
from frontdesk.models.answering import answer_tool, as_answer
from frontdesk.models.local.answer import AnswerReader, SentenceReader
from frontdesk.models.local.engine import Engine, Tally
from frontdesk.models.local.evidence import Evidence, gather
from frontdesk.models.local.grounding import Act, Ask, Judge, Repeat, Verdict, as_json, receipt
from frontdesk.models.local.plain import PlainLocalModel
from frontdesk.models.local.prompt import MAX_STEPS, Message, render
from frontdesk.models.local.shapes import FREE_TEXT, Schema, Tool, grammar, read_tools, read_values
from frontdesk.models.local.words import PHRASES, Language, Phrases, language_of
from frontdesk.models.pieces import Call, Cost, Piece, PieceModel
from frontdesk.models.transcript import Asked, Entry, Returned, Said, Transcript, read, with_replies

NAME = "built-in"
STUCK = re.compile(r"(.{1,12}?)\1{9,}$", re.DOTALL)  # the same few letters ten times over
SHORT_VALUE = 6  # words; a longer text is the model's own, such as a summary
LOOK_UP = "for:"  # begins the id of a call that was made to find the id for another


@dataclass(frozen=True)
class Desk:
    """Everything about one request that does not change while it is answered."""

    transcript: Transcript
    tools: tuple[Tool, ...]
    may_reply: bool
    now: datetime
    context_tokens: int
    values: Mapping[str, Schema] = field(default_factory=dict)  # asked for beside the reply

    @cached_property
    def evidence(self) -> Evidence:
        return gather(self.transcript, self.now.strftime("%Y-%m-%d %H:%M"))

    @cached_property
    def language(self) -> Language:
        said = [e.text for e in reversed(self.transcript.entries) if isinstance(e, Said) and e.by_customer]
        return language_of(said)

    @property
    def phrases(self) -> Phrases:
        return PHRASES[self.language]

    @cached_property
    def prompt(self) -> list[Message]:
        return render(self.transcript, self.tools, self.language, self.context_tokens, self.values)

    @cached_property
    def judge(self) -> Judge:
        return Judge(self.tools, self.evidence, self.transcript.turn, self.phrases, self.now)

    def changes(self, entries: Sequence[Entry]) -> set[str]:
        """The tools that changed something in these entries."""
        changing = {tool.name for tool in self.tools if not tool.is_reading}
        return {e.tool for e in entries if isinstance(e, Returned) and not e.is_error and e.tool in changing}

    @cached_property
    def open_tools(self) -> tuple[Tool, ...]:
        """What may be called now: after a change no look-up, and no tool that has changed something already."""
        done = self.changes(self.transcript.turn)
        if self.steps >= MAX_STEPS:
            return ()
        return tuple(t for t in self.tools if t.name not in done and not t.is_reading) if done else self.tools

    @property
    def steps(self) -> int:
        return sum(isinstance(entry, Asked) for entry in self.transcript.turn)

    @cached_property
    def pending(self) -> Tool | None:
        """The change for which an id was looked up just now, when the look-up found exactly one."""
        turn = self.transcript.turn
        if len(turn) < 2 or not isinstance(asked := turn[-2], Asked) or not isinstance(turn[-1], Returned):
            return None
        tool = next((t for t in self.open_tools if asked.call_id.startswith(f"{LOOK_UP}{t.name}:")), None)
        return tool if tool and len(self.evidence.ids.get(tool.noun, ())) == 1 else None

    def held_values(self, given: Mapping[str, object]) -> dict[str, object]:
        """The given values without those that nobody said: a small model fills in what it does not know."""
        return {name: given[name] for name in self.values if given.get(name) is not None and self._is_said(name, given)}

    def _is_said(self, name: str, given: Mapping[str, object]) -> bool:
        schema, value = self.values[name], given[name]
        branches = schema.get("anyOf")
        plain = branches[0] if isinstance(branches, list) else schema
        if "enum" in plain or isinstance(value, bool):
            return True
        if isinstance(value, int | float):
            return not isinstance(branches, list) or self.evidence.has_counted(float(value))
        text = value if isinstance(value, str) else as_json({"value": value})
        if isinstance(value, str) and len(value.split()) <= SHORT_VALUE and name not in FREE_TEXT:
            # A few words are a fact (a name, a place), and it makes one up: "new customer".
            return len(self.evidence.grounded_words(value, self.evidence.told)) == len(value.split())
        return self.evidence.states_only_facts(text)

    def doubts(self, sentence: str) -> bool:
        """A sentence that states what nobody said, or a change that no tool made, or one in another language.

        The language only counts after a change, where a fixed line of ours says as much.
        """
        if not self.evidence.states_only_facts(sentence):
            return True
        if not self.changes(self.transcript.entries):
            return bool(claims_in(sentence))
        return bool(self.changes(self.transcript.turn)) and language_of([sentence]) != self.language


@dataclass
class Draft:
    """What one run of the model gave so far."""

    shown: str = ""
    is_doubtful: bool = False
    call: tuple[str, dict[str, object]] | None = None
    is_reply: bool | None = None
    values: dict[str, object] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)


class LocalModel(PieceModel):
    """`now` gives the time in the assistant's zone; `context_tokens` is the server's context less the answer."""

    def __init__(self, engine: Engine, now: Callable[[], datetime], context_tokens: int = 7000) -> None:
        super().__init__(NAME, "frontdesk")
        self._engine, self._now, self._context_tokens = engine, now, context_tokens

    def plain(self) -> PlainLocalModel:
        """The same model for answers that belong to no conversation."""
        return PlainLocalModel(self._engine, NAME)

    def desk(self, messages: list[ModelMessage], request: ModelRequestParameters) -> Desk:
        answer = answer_tool(request)
        others = [tool for tool in request.output_tools if tool is not answer]
        tools, transcript = read_tools([*request.function_tools, *others]), read(messages, request)
        if answer is not None:
            transcript = with_replies(transcript, answer.name)
        may_reply = request.allow_text_output or answer is not None
        return Desk(transcript, tools, may_reply, self._now(), self._context_tokens, read_values(answer))

    def pieces(self, messages: list[ModelMessage], request: ModelRequestParameters) -> AsyncGenerator[Piece]:
        desk, draft, answer = self.desk(messages, request), Draft(), answer_tool(request)
        pieces = self._pieces(desk, draft)
        return pieces if answer is None else as_answer(pieces, answer, lambda: desk.held_values(draft.values))

    async def _pieces(self, desk: Desk, draft: Draft) -> AsyncGenerator[Piece]:
        tools = (desk.pending,) if desk.pending else desk.open_tools
        may_reply = not desk.pending and (desk.may_reply or not tools)
        async for text in self._run(desk, draft, tools, may_reply=may_reply):
            yield text
        verdict = self._judged(desk, draft)
        if draft.is_doubtful and not draft.shown and desk.tools and not desk.steps:
            verdict = await self._insist(desk, draft)
        if isinstance(verdict, Repeat):
            async for text in self._run(desk, draft, (), may_reply=True):
                yield text
            verdict = None
        async for piece in self._closing(desk, draft, verdict):
            yield piece

    def _judged(self, desk: Desk, draft: Draft) -> Verdict | None:
        if draft.is_reply:
            return None
        return desk.judge.judge(*draft.call) if draft.call else Repeat()

    async def _insist(self, desk: Desk, draft: Draft) -> Verdict:
        """The model claimed what only a tool can know or do: it must choose one, and gets no second doubt."""
        second = Draft(tally=draft.tally)
        async for _ in self._run(desk, second, desk.tools, may_reply=False):
            pass
        verdict = desk.judge.judge(*second.call) if second.call else None
        return verdict if isinstance(verdict, (Act, Ask)) else Ask(desk.phrases.unknown)

    async def _run(self, desk: Desk, draft: Draft, tools: tuple[Tool, ...], *, may_reply: bool) -> AsyncGenerator[str]:
        """One generation into `draft`; yields each whole sentence that holds against the evidence."""
        answer, sentences = AnswerReader(), SentenceReader()
        async for chunk in self._engine.write(
            desk.prompt, grammar(tools, may_reply=may_reply, beside=desk.values), draft.tally
        ):
            for sentence in sentences.feed(answer.feed(chunk)):
                if self._holds(desk, draft, sentence):
                    yield sentence
            if STUCK.search(sentences.held):
                draft.is_doubtful = True
                break
            if draft.is_doubtful and not draft.shown and not desk.steps:
                break
        else:
            rest = sentences.rest()
            if rest and self._holds(desk, draft, rest):
                yield rest
        draft.values = answer.values() if answer.is_reply else {}
        draft.is_reply, draft.call = answer.is_reply, None if answer.is_reply else answer.call()

    def _holds(self, desk: Desk, draft: Draft, sentence: str) -> bool:
        if desk.doubts(sentence):
            draft.is_doubtful = True
            return False
        draft.shown += sentence
        return True

    async def _closing(self, desk: Desk, draft: Draft, verdict: Verdict | None) -> AsyncGenerator[Piece]:
        if isinstance(verdict, Act):
            mark = f"{LOOK_UP}{verdict.then}:" if verdict.then else "call:"
            yield Call(verdict.tool, as_json(verdict.arguments), f"{mark}{uuid4().hex[:12]}")
        elif isinstance(verdict, Ask):
            yield verdict.text
        else:
            addition = self._addition(desk, draft)
            if addition:
                yield f" {addition}" if draft.shown else addition
        tally = draft.tally
        yield Cost(tally.input_tokens, tally.output_tokens, tally.cached_tokens)

    def _addition(self, desk: Desk, draft: Draft) -> str:
        """What the reply still needs: the changed values repeated, or the admission that something is not known."""
        repeated = receipt(desk.transcript.turn, desk.tools, draft.shown, desk.phrases)
        if desk.changes(desk.transcript.turn) and not draft.shown.strip():
            return f"{desk.phrases.done} {repeated}".strip()
        if repeated:
            return repeated
        return "" if draft.shown.strip() and not draft.is_doubtful else desk.phrases.unknown
