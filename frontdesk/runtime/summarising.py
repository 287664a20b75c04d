"""Summing up: the assistant's own model is given the notes so far and the messages after them, and writes new notes.

It is a step of the turn, committed with its cost and with the summary itself in one transaction; while the model is
asked none is open. A failure is a step too, and the turn goes on with what fits into its history.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import ModelRequest, ModelResponse, UserPromptPart

from frontdesk.assistants.json_keys import FINAL_ANSWER
from frontdesk.core.database import Connection
from frontdesk.core.prices import cost_of
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.history import CHARACTERS_PER_TOKEN, Limits, StoredMessage, is_shown, rebuild
from frontdesk.runtime.model_failure import FAILURES, ModelTimedOut, sentence
from frontdesk.runtime.model_source import ResolvedModel
from frontdesk.runtime.summary import Summary, in_force, most_shown, new_end
from frontdesk.runtime.summary_keeping import Kept, record
from frontdesk.runtime.summary_text import MOST_CHARACTERS, Arrear, call_line, notes_of, told
from frontdesk.runtime.summary_words import WORDS
from frontdesk.runtime.thread import Conversation
from frontdesk.runtime.tool_history import StoredStep
from frontdesk.runtime.turns import LEASE

log = structlog.get_logger(__name__)

SECONDS = 30.0  # the customer waits meanwhile
RENEW_EVERY = LEASE.total_seconds() / 3
MOST_MESSAGES = 300  # that are summed up at once; of a longer arrear the oldest are left out
FEWEST = 4  # messages; no setting sums up so few
LEAST_CHARACTERS = 3_000  # of the messages
BESIDES = 4_000  # tokens of the task, the notes so far and the new ones
FOR_NOTES = 1_200  # tokens

# A file has no words; the notes are told that it was there.
ARREAR = r"""
    SELECT position, CASE WHEN kind = 'ai-chat' AND direction = 'inbound' THEN 'contact' ELSE sender END,
        concat_ws(' ', CASE WHEN message_type IN ('image', 'video', 'document', 'audio', 'location')
            THEN '[' || message_type || ']' END, message_text),
        created_at, ai_turn_id, message_type, deleted_at IS NOT NULL
    FROM conversation_messages
    WHERE organization_id = $1 AND conversation_id = $2 AND position > $3 AND position <= $4
    ORDER BY position DESC LIMIT $5
"""
# Hand-offs are left out: who had the conversation then is not true any more.
CALLS = """
    SELECT ai_turn_id, tool_name, status, arguments::text AS arguments, result::text AS result FROM ai_turn_steps
    WHERE organization_id = $1 AND ai_turn_id = ANY($2) AND kind = 'tool' AND tool_name <> $3
        AND tool_name NOT IN ('transfer_to_human', 'transfer_to_assistant')
    ORDER BY ai_turn_id, position
"""


async def with_summary(
    held: HeldTurn, talk: Conversation, resolved: ResolvedModel, messages: Sequence[StoredMessage],
    steps: Mapping[int, Sequence[StoredStep]], limits: Limits,
) -> Limits:  # fmt: skip
    """The limits with the summary that stands in place of the older messages, made longer first where it is time.

    Only a turn that has done nothing yet sums up, and once: a resumed one goes on with the history that it had.
    """
    options = held.config.options
    if not options.summary.enabled or held.turn.last_position <= FEWEST:
        return limits
    async with held.database.reading(held.organization_id) as connection:
        known = await in_force(
            connection, held.organization_id, held.conversation_id, held.turn.first_position - 1, talk.ai_context_cut
        )
    limits = _behind(limits, known, held)
    # The built-in model is too small to be trusted with what is said later in its own words.
    if held.steps or resolved.facts.get("is_small"):
        return limits
    shown = sorted((m for m in messages if is_shown(m, limits)), key=lambda m: m.position)
    is_long = known.up_to > 0 or len(shown) > options.summary.after_messages
    if not is_long and len(shown) <= most_shown(options):
        return limits
    kept = rebuild(messages, steps, limits, current_turn=held.turn_id, language=held.config.instructions_language)
    end = new_end(shown, kept.first_position, most_shown(options), is_long=is_long)
    if end is not None and end >= held.turn.first_position:
        # What has to be answered stands in its own words, though an answer to what was before it came after it.
        end = max((m.position for m in shown if m.position < held.turn.first_position), default=None)
    if end is None:
        return limits
    made = await _sum_up(held, talk, resolved, known, end)
    return limits if made is None else _behind(limits, made, held)


def _behind(limits: Limits, summary: Summary, held: HeldTurn) -> Limits:
    if not summary.text:
        return limits
    words = WORDS[held.config.instructions_language]
    return replace(limits, after=summary.up_to, summary=words.shown + summary.text)


async def _sum_up(
    held: HeldTurn, talk: Conversation, resolved: ResolvedModel, known: Summary, end: int
) -> Summary | None:
    """The new summary, committed; None where the model gave none."""
    async with held.database.reading(held.organization_id) as connection:
        arrear = await _arrear(connection, held, talk.ai_context_cut, known.up_to, end)
    started, before = held.clock.now(), held.clock.monotonic()
    words = WORDS[held.config.instructions_language]
    try:
        asked = told(arrear, known.text, words.earlier, room_of(resolved))
        response = await watched(held, _ask(resolved, words.task, asked), SECONDS)
        text = notes_of(response)
    except FAILURES as failure:
        log.warning("summary failed", why=sentence(failure), turn=held.turn_id)
        await record(held, None, sentence(failure), started, _since(held, before), None)
        return None
    made = Summary(text, end, known.count + len(arrear.messages))
    usage = response.usage
    cost = cost_of(usage.input_tokens, usage.output_tokens, resolved.price_input, resolved.price_output)
    kept = Kept(made, known, [message.position for message in arrear.messages], talk.ai_context_cut)
    is_kept = await record(
        held, response, {"text": text, "up_to_position": end}, started, _since(held, before), cost, kept
    )
    return made if is_kept else None


def _since(held: HeldTurn, before: float) -> int:
    return round((held.clock.monotonic() - before) * 1000)


async def _arrear(connection: Connection, held: HeldTurn, since: datetime | None, after: int, end: int) -> Arrear:
    where = (held.organization_id, held.conversation_id)
    rows = await connection.fetch(ARREAR, *where, after, end, MOST_MESSAGES)
    found = [StoredMessage(*row) for row in reversed(rows)]
    messages = [message for message in found if is_shown(message, Limits(since=since))]
    turns = sorted({m.ai_turn_id for m in messages if m.ai_turn_id is not None})
    calls: dict[int, list[str]] = defaultdict(list)
    for row in await connection.fetch(CALLS, held.organization_id, turns, FINAL_ANSWER):
        calls[row["ai_turn_id"]].append(call_line(dict(row)))
    return Arrear(end, messages, calls)


def room_of(resolved: ResolvedModel) -> int:
    """How many characters of messages the model is given beside the task, the notes so far and its answer."""
    if resolved.context_length is None:
        return MOST_CHARACTERS
    return max(LEAST_CHARACTERS, min(MOST_CHARACTERS, (resolved.context_length - BESIDES) * CHARACTERS_PER_TOKEN))


async def _ask(resolved: ResolvedModel, task: str, messages: str) -> ModelResponse:
    request = ModelRequest([UserPromptPart(messages)], instructions=task)
    settings = resolved.settings
    if settings and settings.get("max_tokens"):
        # An assistant whose answers are short still needs whole notes.
        settings = {**settings, "max_tokens": max(settings["max_tokens"], FOR_NOTES)}
    async with model_request_stream(resolved.model, [request], model_settings=settings) as stream:
        async for _ in stream:
            pass
    return stream.get()


async def watched(held: HeldTurn, work: Coroutine[None, None, ModelResponse], seconds: float) -> ModelResponse:
    """The work's result, the lease renewed meanwhile. Raises `ModelTimedOut`, and what `renew` raises."""
    task, watch = asyncio.create_task(work), asyncio.create_task(_watch(held, seconds))
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            watch.result()
        return await task
    finally:
        for each in (task, watch):
            each.cancel()
        await asyncio.gather(task, watch, return_exceptions=True)


async def _watch(held: HeldTurn, seconds: float) -> None:
    end = held.clock.monotonic() + seconds
    while held.clock.monotonic() < end:
        await held.clock.sleep(min(RENEW_EVERY, seconds))
        await held.renew()
    raise ModelTimedOut(f"no complete summary within {seconds:.0f} s")
