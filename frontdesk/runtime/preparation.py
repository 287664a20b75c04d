"""What a turn is given before the model is asked, and stored for its trace: prompt, history, offered tools."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import cast

from frontdesk.assistants.assistant_handoff_config import TRANSFER_TO_ASSISTANT
from frontdesk.assistants.mcp_offer import function_name
from frontdesk.assistants.permissions import api_tool_permission, mcp_tool_permission
from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from frontdesk.runtime.assistant_reading import Offer
from frontdesk.runtime.follow_up_turns import task_of
from frontdesk.runtime.handoff_prompt import what_was_shared
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.history import CHARACTERS_PER_TOKEN, History, Limits, rebuild, tokens_of
from frontdesk.runtime.images import Attached, ImageReader, Looks, candidates, unseen
from frontdesk.runtime.message_reading import Row, read_messages, stored
from frontdesk.runtime.model_source import ResolvedModel
from frontdesk.runtime.passing_on import hops_of, open_targets, shared_of
from frontdesk.runtime.pictures import only_sent
from frontdesk.runtime.prompt import Customer, Prompt, Ticket, build
from frontdesk.runtime.silent_turns import with_silent_turns
from frontdesk.runtime.staff_words import Colleague
from frontdesk.runtime.summarising import with_summary
from frontdesk.runtime.thread import Conversation
from frontdesk.runtime.tool_history import StoredStep, step_of

FOR_TOOLS = 2_000  # tokens for the tools' schemas
FOR_ANSWER = 1_000  # tokens for an answer whose length nobody bounds
LEAST, MOST = 1_000, 24_000  # tokens of history
BESIDES = 20  # notes and deleted messages that the history leaves out

STEPS = """
    SELECT s.ai_turn_id, s.position, s.kind, s.status, s.messages, s.tool_name, s.call_id, s.result, s.created_at
    FROM ai_turn_steps s
    WHERE s.organization_id = $1 AND s.ai_turn_id = ANY($2) AND EXISTS (
        SELECT FROM ai_turn_steps t
        WHERE t.organization_id = $1 AND t.ai_turn_id = s.ai_turn_id AND t.kind = 'tool')
    ORDER BY s.ai_turn_id, s.position
"""
CONTACT = """
    SELECT first_name, last_name, email, concat_ws(' ', phone_country_code, phone) FROM contacts
    WHERE organization_id = $1 AND id = $2
"""
MEMBER = """
    SELECT concat_ws(' ', u.first_name, u.last_name), m.role FROM members m JOIN users u ON u.id = m.user_id
    WHERE m.organization_id = $1 AND m.user_id = $2 AND m.deleted_at IS NULL
"""
TICKET = """
    SELECT reference_number, subject, priority FROM conversations
    WHERE organization_id = $1 AND id = $2 AND kind = 'ticket'
"""
API_TOOLS = """
    SELECT id, function_name FROM api_tools WHERE organization_id = $1 AND id = ANY($2) AND deleted_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Ready:
    prompt: Prompt
    history: History
    has_images: bool = False

    @property
    def tokens(self) -> int:
        """Of the history, by our own count."""
        return sum(tokens_of(message) for message in self.history.messages)


async def prepare(
    held: HeldTurn, talk: Conversation, resolved: ResolvedModel, reader: ImageReader, *, is_refused: bool = False,
    at_most: int | None = None,
) -> Ready:  # fmt: skip
    """The same turn gets the same: a resumed one keeps the prompt that it began with.

    `is_refused`: the model has not taken the images, so it gets their notes. `at_most`: it has not taken so long a
    history, so it gets one of so many tokens.
    """
    config, turn = held.config, held.turn
    most = config.options.history_messages + BESIDES
    async with held.database.reading(held.organization_id) as connection:
        where = (held.organization_id, held.conversation_id)
        rows = await read_messages(connection, *where, turn.last_position, most, turn.id)
        shared = shared_of(talk.ai_shared)
        rows = rows if shared is None else [row for row in rows if cast(int, row["position"]) >= shared.position]
        rows = await with_silent_turns(connection, held.organization_id, held.conversation_id, turn.id, rows)
        steps = await _steps(connection, held, rows)
        held.hops = await hops_of(connection, turn) if config.assistant_handoff.open_targets else ()
        offer = _without_targets(await _offer(connection, held), held)
        prompt = Prompt(turn.prompt, "") if turn.prompt is not None else await _prompt(connection, held, talk, offer)
        task = await task_of(connection, turn, config, held.clock.now())
        if task is not None and turn.prompt is None:
            prompt = Prompt(prompt.stable, f"{prompt.moving}\n{task.prompt}")
    room = _room(prompt, resolved) if at_most is None else min(at_most, _room(prompt, resolved))
    looks = await _look(held, resolved, reader, candidates(rows, talk.ai_context_cut), room, is_refused=is_refused)
    if turn.prompt is None or is_refused:
        await held.prepared(prompt.text, offer.table, resolved.facts, looks.as_json)
    else:
        await held.renew()
    messages = [stored(row, looks, config.instructions_language) for row in rows]
    earlier = [message for message in messages if message.position <= turn.last_position]
    if task is not None:
        messages = earlier = [*earlier, task.cue]
    limits = Limits(config.options.history_messages, room, talk.ai_context_cut)
    if shared is None:
        # The notes of the whole conversation would tell what was not shared.
        limits = await with_summary(held, talk, resolved, earlier, steps, limits)
    if task is None:
        limits = replace(limits, waits_from=turn.first_position)
    history = rebuild(messages, steps, limits, current_turn=turn.id, language=config.instructions_language)
    return Ready(prompt, history, looks.is_any_seen)


async def _look(
    held: HeldTurn, resolved: ResolvedModel, reader: ImageReader, images: list[Attached], room: int, *, is_refused: bool
) -> Looks:
    """The customer's images, with no transaction open; images take half of the room at most."""
    if not held.config.analyze_images:
        return unseen(images, "off")
    if not resolved.supports_images or is_refused:
        return unseen(images, "refused" if is_refused else "model")
    return await reader.look(held.organization_id, images, room // 2)


async def _steps(connection: Connection, held: HeldTurn, rows: list[Row]) -> dict[int, list[StoredStep]]:
    steps: dict[int, list[StoredStep]] = defaultdict(list)
    spoke = (row for row in rows if row["sender"] in ("assistant", "contact"))
    ids = {cast("int | None", row["ai_turn_id"]) for row in spoke} - {held.turn_id}
    if found := sorted(id for id in ids if id is not None):
        for row in await connection.fetch(STEPS, held.organization_id, found):
            steps[row["ai_turn_id"]].append(step_of(dict(row)))
    for id in steps:
        steps[id] = only_sent(steps[id], id, rows)
    steps[held.turn_id] = held.steps
    return steps


async def _offer(connection: Connection, held: HeldTurn) -> Offer:
    """The internal tools, the API tools with their names as they are now, and the tools of MCP servers."""
    offer, config = held.assistants.offer(held.config), held.config
    ids = [use.api_tool_id for use in config.api_tools.root]
    names: dict[int, str] = {}
    if ids:
        rows = await connection.fetch(API_TOOLS, config.organization_id, ids)
        names = {row["id"]: row["function_name"] for row in rows}
    rulings = {id: api_tool_permission(config, id, names.get(id, "")) for id in ids}
    offered = [names[id] for id, ruling in rulings.items() if ruling.is_allowed and id in names]
    table: dict[str, Json] = {**cast("dict[str, Json]", offer.table)}
    if ids:
        table["api_tools"] = [
            {"api_tool_id": id, "key": names.get(id), "rule": ruling.rule if id in names else "api_tool_deleted"}
            for id, ruling in rulings.items()
        ]
    # Which of them its server has is asked when the model is: no transaction waits for a server.
    for server in config.mcp_tools.root:
        for tool in server.tools:
            name = function_name(server, tool.name)
            ruling = mcp_tool_permission(config, server.id, tool.name, name)
            offered += [name] if ruling.is_allowed else []
            shown = {"server": server.id, "tool": tool.name, "key": name, "rule": ruling.rule}
            cast("list[Json]", table.setdefault("mcp_tools", [])).append(cast(Json, shown))
    return Offer((*offer.keys, *offered), table)


async def _prompt(connection: Connection, held: HeldTurn, talk: Conversation, offer: Offer) -> Prompt:
    customer: Customer | Colleague = Customer(talk.is_contact_verified, talk.channel, talk.contact_id)
    if talk.is_staff_chat:
        member = await connection.fetchrow(MEMBER, talk.organization_id, talk.created_by_user_id)
        customer = Colleague(*member) if member is not None else customer
    if talk.is_contact_verified and held.config.access_contact != "none":
        row = await connection.fetchrow(CONTACT, talk.organization_id, talk.contact_id)
        if row is not None:
            customer = Customer(True, talk.channel, talk.contact_id, row[0], row[1], row[2], row[3] or None)
    row = await connection.fetchrow(TICKET, talk.organization_id, talk.id) if talk.kind == "ticket" else None
    ticket = None if row is None else Ticket(*row)
    built = build(held.config, offer.keys, customer, held.clock.now(), ticket)
    shared = what_was_shared(shared_of(talk.ai_shared), held.config.instructions_language)
    return Prompt(built.stable, "\n".join([built.moving, *shared]))


def _without_targets(offer: Offer, held: HeldTurn) -> Offer:
    """At the end of a chain of assistants there is nobody left to pass on to."""
    if TRANSFER_TO_ASSISTANT not in offer.keys or open_targets(held.config, held.hops):
        return offer
    return Offer(tuple(key for key in offer.keys if key != TRANSFER_TO_ASSISTANT), offer.table)


def _room(prompt: Prompt, resolved: ResolvedModel) -> int:
    """Tokens that are left for the history, beside the longest answer that the model may give."""
    if resolved.context_length is None:
        return MOST
    answer = max(FOR_ANSWER, (resolved.settings or {}).get("max_tokens", 0))
    used = math.ceil(len(prompt.text) / CHARACTERS_PER_TOKEN) + FOR_TOOLS + answer
    return max(LEAST, min(MOST, resolved.context_length - used))
