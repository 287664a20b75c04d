"""The small model's prompt: rules, tools and examples first and unchanging, the conversation last.

Reading a prompt costs this model as much time as writing, so the server keeps the part that did not change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from frontdesk.models.local.examples import examples
from frontdesk.models.local.shapes import Schema, Tool
from frontdesk.models.local.words import Language
from frontdesk.models.transcript import Entry, Returned, Said, Transcript

Message = dict[str, str]
RULES = """You write to a customer of a business. Each time you write one JSON object:
{"reply": "..."} to the customer, in the customer's language, in one to three short sentences;
{"tool": "...", "arguments": {...}} to look something up or to change something. You get its RESULT, then you reply.

Prices, products, contacts and notes are looked up with a tool. What the customer wants changed, stored or noted is done
with a tool. Greetings, thanks and questions that the notes below answer need no tool.
Say only what the notes, a RESULT or the customer told you. Never invent names, phone numbers, prices or dates.
Leave out arguments that the customer did not give; if what is to be changed is missing, reply and ask for it."""
HIDDEN = frozenset({"organization_id", "version", "created_at", "updated_at", "deleted_at", "limit", "skip", "total"})
LONGEST_RESULT = 1200
LONGEST_DESCRIPTION = 90
MOST_ROWS = 5
LANGUAGES: Mapping[Language, str] = {"en": "English", "es": "Spanish"}
# Without it the model takes what the people of the examples said for this customer's words.
NEW_CUSTOMER = "(A new customer writes.)\n"
CHARACTERS_PER_TOKEN = 3.2
MAX_STEPS = 4


def render(
    transcript: Transcript, tools: Sequence[Tool], language: Language, max_tokens: int,
    values: Mapping[str, Schema] | None = None,
) -> list[Message]:  # fmt: skip
    """Chat messages. Of a long conversation the newest part that fits into `max_tokens` with the rest is kept."""
    beside = (_value_lines(values),) if values else ()
    system = "\n\n".join((RULES, _tool_lines(tools), *beside, f"Notes:\n{transcript.stable}"))
    shown = list(examples(tools))
    room = (
        max_tokens * CHARACTERS_PER_TOKEN - sum(len(m["content"]) for m in shown) - len(system) - len(transcript.moving)
    )
    conversation = _fitting([_message(entry) for entry in transcript.entries], room)
    if shown and conversation:
        conversation[0] = {**conversation[0], "content": f"{NEW_CUSTOMER}{conversation[0]['content']}"}
    _add_moving(conversation, transcript, language)
    return [{"role": "system", "content": system}, *_merged([*shown, *conversation])]


def _tool_lines(tools: Sequence[Tool]) -> str:
    return "\n".join(["Tools:", *(_line(tool) for tool in tools)]) if tools else "You have no tools."


def _value_lines(values: Mapping[str, Schema]) -> str:
    """What stands beside the reply. The customer does not see it; what was not said is null."""
    lines = ['Beside "reply" write these, null where the customer did not say it:']
    for name, schema in values.items():
        branches = schema.get("anyOf")
        plain = branches[0] if isinstance(branches, list) else schema
        choices = plain.get("enum")
        kind = "|".join(map(str, choices)) if isinstance(choices, list) else str(plain.get("type", "string"))
        about = str(plain.get("description") or "")[:LONGEST_DESCRIPTION].rstrip(".")
        lines.append(f"- {name} ({kind}){': ' + about if about else ''}")
    return "\n".join(lines)


def _line(tool: Tool) -> str:
    shown = [p for p in tool.parameters if p.is_required or p.kind not in ("flag", "number")]
    names = ", ".join(p.name if p.is_required else f"{p.name}?" for p in shown)
    description = tool.description.partition("\n")[0].partition(". ")[0][:LONGEST_DESCRIPTION].rstrip(".")
    return f"- {tool.name}({names}): {description}."


def _message(entry: Entry) -> Message:
    if isinstance(entry, Returned):
        return {"role": "user", "content": _result(entry)}
    if isinstance(entry, Said) and entry.by_customer:
        return {"role": "user", "content": entry.text}
    said = {"reply": entry.text} if isinstance(entry, Said) else {"tool": entry.tool, "arguments": entry.arguments}
    return {"role": "assistant", "content": json.dumps(said, ensure_ascii=False)}


def _result(entry: Returned) -> str:
    if entry.value is None:
        text = entry.text
    else:
        rows = entry.value.get("data") if isinstance(entry.value, Mapping) and "data" in entry.value else entry.value
        text = "nothing found" if rows in ([], {}, None) else json.dumps(_lean(rows), ensure_ascii=False)
    return f"RESULT of {entry.tool}{' (failed)' if entry.is_error else ''}: {text[:LONGEST_RESULT]}"


def _lean(value: object) -> object:
    """Without empty members and those that mean nothing to a customer."""
    if isinstance(value, list):
        return [_lean(item) for item in value[:MOST_ROWS]]
    if isinstance(value, Mapping):
        return {k: _lean(v) for k, v in value.items() if k not in HIDDEN and v not in (None, "", [], {})}
    return value


def _fitting(messages: list[Message], room: float) -> list[Message]:
    kept: list[Message] = []
    for message in reversed(messages):
        room -= len(message["content"]) + 12
        if room < 0 and kept:
            break
        kept.append(message)
    return kept[::-1]


def _add_moving(messages: list[Message], transcript: Transcript, language: Language) -> None:
    """What changes from turn to turn stands beside the customer's last words, so that all before stays cached."""
    hint = f"\n(Reply in {LANGUAGES[language]}.)"
    for number in range(len(messages) - 1, -1, -1):
        message = messages[number]
        if message["role"] != "user":
            continue
        before = ""
        is_last = message["content"].removeprefix(NEW_CUSTOMER) == transcript.last_words
        if is_last and transcript.moving:
            before = f"({transcript.moving})\n\n"
        messages[number] = {"role": "user", "content": f"{before}{message['content']}{hint}"}
        if is_last:
            return


def _merged(messages: Sequence[Message]) -> Iterator[Message]:
    """Chat templates want the roles to alternate."""
    pending: Message | None = None
    for message in messages:
        if pending and pending["role"] == message["role"]:
            pending = {"role": pending["role"], "content": f"{pending['content']}\n{message['content']}"}
            continue
        if pending:
            yield pending
        pending = message
    if pending:
        yield pending
