"""What a turn is given before the model is asked, and stored for its trace: prompt, history, offered tools."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import cast

from frontdesk.assistants.mcp_offer import function_name
from frontdesk.assistants.permissions import api_tool_permission, mcp_tool_permission
from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from frontdesk.runtime.assistant_reading import Offer
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.history import CHARACTERS_PER_TOKEN, History, Limits, StoredMessage, rebuild
from frontdesk.runtime.model_source import ResolvedModel
from frontdesk.runtime.prompt import Customer, Prompt, Ticket, build
from frontdesk.runtime.thread import Conversation
from frontdesk.runtime.tool_history import StoredStep, step_of
from frontdesk.runtime.staff_words import Colleague

FOR_TOOLS = 2_000  # tokens for the tools' schemas
FOR_ANSWER = 1_000  # tokens for an answer whose length nobody bounds
LEAST, MOST = 1_000, 24_000  # tokens of history
BESIDES = 20  # notes and deleted messages that the history leaves out

# A file has no words; the model is told that it is there.
MESSAGES = r"""
    SELECT position, sender, concat_ws(' ', CASE
            WHEN message_type IN ('image', 'video', 'document', 'audio') THEN '[' || message_type
                || coalesce(': ' || regexp_replace(left(file_name, 120), '[\[\]\n]', '', 'g'), '') || ']'
            WHEN message_type = 'location' THEN '[location: ' || concat_ws(', ', location ->> 'latitude',
                location ->> 'longitude', left(location ->> 'name', 120)) || ']' END, message_text),
        created_at, ai_turn_id, message_type, deleted_at IS NOT NULL
    FROM conversation_messages
    WHERE organization_id = $1 AND conversation_id = $2 AND position <= $3
    ORDER BY position DESC LIMIT $4
"""
STEPS = """
    SELECT s.ai_turn_id, s.position, s.kind, s.status, s.messages, s.tool_name, s.call_id, s.result, s.created_at
MEMBER = """
    SELECT concat_ws(' ', u.first_name, u.last_name), m.role FROM members m JOIN users u ON u.id = m.user_id
    WHERE m.organization_id = $1 AND m.user_id = $2 AND m.deleted_at IS NULL
"""
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


async def prepare(held: HeldTurn, talk: Conversation, resolved: ResolvedModel) -> Ready:
    """The same turn gets the same: a resumed one keeps the prompt that it began with."""
    config, turn = held.config, held.turn
    async with held.database.reading(held.organization_id) as connection:
        messages = await _messages(connection, held)
        steps = await _steps(connection, held, messages)
        offer = await _offer(connection, held)
        prompt = Prompt(turn.prompt, "") if turn.prompt is not None else await _prompt(connection, held, talk, offer)
    if turn.prompt is None:
        await held.prepared(prompt.text, offer.table, resolved.facts)
    limits = Limits(config.options.history_messages, _room(prompt, resolved), talk.ai_context_cut)
    return Ready(prompt, rebuild(messages, steps, limits, current_turn=turn.id))


async def _messages(connection: Connection, held: HeldTurn) -> list[StoredMessage]:
    most = held.config.options.history_messages + BESIDES
    rows = await connection.fetch(MESSAGES, held.organization_id, held.conversation_id, held.turn.last_position, most)
    return [StoredMessage(*row) for row in rows]


async def _steps(connection: Connection, held: HeldTurn, messages: list[StoredMessage]) -> dict[int, list[StoredStep]]:
    steps: dict[int, list[StoredStep]] = defaultdict(list)
    ids = {m.ai_turn_id for m in messages if m.sender == "assistant"} - {None, held.turn_id}
    if ids:
        for row in await connection.fetch(STEPS, held.organization_id, sorted(filter(None, ids))):
            steps[row["ai_turn_id"]].append(step_of(dict(row)))
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
    return build(held.config, offer.keys, customer, held.clock.now(), ticket)


def _room(prompt: Prompt, resolved: ResolvedModel) -> int:
    """Tokens that are left for the history, beside the longest answer that the model may give."""
    if resolved.context_length is None:
        return MOST
    answer = max(FOR_ANSWER, (resolved.settings or {}).get("max_tokens", 0))
    used = math.ceil(len(prompt.text) / CHARACTERS_PER_TOKEN) + FOR_TOOLS + answer
    return max(LEAST, min(MOST, resolved.context_length - used))
