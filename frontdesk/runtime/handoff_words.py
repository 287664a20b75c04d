"""What a hand-off says: the line that the customer reads, and the note for the person, in English and Spanish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from frontdesk.assistants.config import AssistantConfig, Language
from frontdesk.assistants.schedule import opening
from frontdesk.runtime.failure_words import FAILURES

LONGEST_LINE = 300  # characters of a message that the note repeats
LONGEST_SUMMARY = 2_000
MOST_LINES = 6

LINES: dict[Language, str] = {
    "ENG": "I am passing you on to a colleague, who will answer you here.",
    "ESP": "Te paso con una persona del equipo, que te responderá aquí.",
}
# Why, by the type of the rule. Every other code is that of something which failed.
WHY: dict[str, tuple[str, str]] = {
    "customer_request": ("the customer asks for a person", "el cliente pide hablar con una persona"),
    "condition": ("a condition is met", "se cumple una condición"),
    "keywords": ("the customer wrote a keyword", "el cliente escribió una palabra clave"),
    "no_answer": ("several turns made no progress", "varios turnos no avanzaron"),
    "tool_failure": ("tools failed several times", "las herramientas fallaron varias veces"),
    "message_count": ("the customer has written many messages", "el cliente ha escrito muchos mensajes"),
    "attachment": ("the customer sent an attachment", "el cliente envió un archivo"),
    "out_of_schedule": ("it is outside the schedule", "está fuera del horario"),
    "budget": ("the budget is spent", "el presupuesto está gastado"),
    "conversation_budget_handoff": ("the conversation has cost its limit", "la conversación ha costado su límite"),
    "assistant_budget_handoff": ("the limit of the day is spent", "el límite del día está gastado"),
    "claim_without_receipt": (
        "the assistant said that something was done which no tool did",
        "el asistente dijo que se hizo algo que ninguna herramienta hizo",
    ),
    "failure": ("the assistant could not answer", "el asistente no pudo responder"),
}
NOTE: dict[Language, dict[str, str]] = {
    "ENG": {
        "head": "{name} handed this over: {why}.", "detail": "Reason: {detail}", "customer": "Customer: {customer}",
        "verified": "verified", "unverified": "not verified", "since": "{count} messages since {since}",
        "done": "Done by the assistant: {tools}", "summary": "Summary: {summary}", "last": "Last messages:",
        "contact": "Customer", "assistant": "Assistant", "user": "Team", "system": "Automatic",
        "nobody": "Nobody of those it should go to is available, so it waits in the queue.",
    },
    "ESP": {
        "head": "{name} entregó esta conversación: {why}.", "detail": "Motivo: {detail}",
        "customer": "Cliente: {customer}", "verified": "verificado", "unverified": "sin verificar",
        "since": "{count} mensajes desde {since}", "done": "Hecho por el asistente: {tools}",
        "summary": "Resumen: {summary}", "last": "Últimos mensajes:", "contact": "Cliente",
        "assistant": "Asistente", "user": "Equipo", "system": "Automático",
        "nobody": "No está disponible nadie de quienes deberían recibirla, así que espera en la cola.",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """One of the last messages."""

    sender: str
    text: str


@dataclass(frozen=True, slots=True)
class Background:
    """The facts of a conversation that a note tells."""

    customer: str | None
    channel: str
    is_verified: bool
    count: int
    since: datetime | None
    done: Sequence[str] = ()
    last: Sequence[Said] = field(default_factory=tuple)


def customer_line(config: AssistantConfig, now: datetime, *, is_by_schedule: bool = False) -> str | None:
    """The one line of a hand-off; None where nothing may reach the customer."""
    handoff = config.human_handoff
    if handoff.silent or config.disable_reply:
        return None
    if not opening(config.schedule, config.timezone, now).is_open:
        of_schedule = config.schedule.out_of_schedule.message if is_by_schedule else None
        if (line := handoff.out_of_schedule_message or of_schedule) is not None:
            return line
    return handoff.customer_message or LINES[config.instructions_language]


def why(rule: str, language: Language) -> str:
    """The reason in words."""
    failed = FAILURES[rule].why if rule in FAILURES else WHY["failure"]
    pair = WHY["budget"] if rule.startswith("budget") else WHY.get(rule, failed)
    return pair[0] if language == "ENG" else pair[1]


def note(
    config: AssistantConfig, rule: str, detail: str | None, summary: str | None, background: Background,
    *, nobody: bool,
) -> str:  # fmt: skip
    """What the person reads first. With the model's own summary the messages are not repeated."""
    language = config.instructions_language
    words, known = NOTE[language], background
    lines = [words["head"].format(name=config.name, why=why(rule, language))]
    if detail:
        lines.append(words["detail"].format(detail=_short(detail)))
    if nobody:
        lines.append(words["nobody"])
    customer = [known.customer or "–", words["verified" if known.is_verified else "unverified"], known.channel]
    if known.since is not None:
        zone, locale = ZoneInfo(config.timezone), "en" if language == "ENG" else "es"
        since = format_datetime(known.since, "d MMM y, HH:mm", tzinfo=zone, locale=locale)
        customer.append(words["since"].format(count=known.count, since=since))
    lines.append(words["customer"].format(customer=" · ".join(customer)))
    if known.done:
        lines.append(words["done"].format(tools=", ".join(known.done)))
    if summary:
        lines.append(words["summary"].format(summary=summary.strip()[:LONGEST_SUMMARY]))
    elif known.last:
        lines.append(words["last"])
        lines += [f"- {words.get(said.sender, said.sender)}: {_short(said.text)}" for said in known.last]
    return "\n".join(lines)


def retold(language: Language, background: Background) -> str:
    """The last messages in a line, where the model gave no summary."""
    words = NOTE[language]
    return " / ".join(f"{words.get(said.sender, said.sender)}: {_short(said.text)}" for said in background.last)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"
