"""A decision in plain words, English and Spanish: why, and what would have to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from frontdesk.assistants.config import Language
from frontdesk.assistants.follow_up_words import FOLLOW_UPS
from frontdesk.core.errors import Json
from frontdesk.runtime.endings import ENDINGS
from frontdesk.runtime.failure_words import values_of
from frontdesk.runtime.handoff_sentences import HANDOFFS
from frontdesk.runtime.owner_words import cause_words, owner_words

WEEKDAYS: dict[Language, tuple[str, ...]] = {
    "ENG": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "ESP": ("lun", "mar", "mié", "jue", "vie", "sáb", "dom"),
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """`why` is one sentence about what happened, `would_change` one about what would have to be different."""

    why: str
    would_change: str


def _of_the_day(what: str, english: str, spanish: str) -> dict[str, dict[Language, tuple[str, str]]]:
    """The organization's budget of the day, where the assistant keeps the conversation and where it does not."""
    change: dict[Language, str] = {
        "ENG": "It would answer tomorrow (UTC), or if the organization's daily budget were raised",
        "ESP": "Respondería mañana (UTC), o si se ampliara el presupuesto diario de la organización",
    }
    why: dict[Language, str] = {
        "ENG": f"today's model budget is spent ({english}).", "ESP": f"el presupuesto de modelos de hoy está gastado"
        f" ({spanish}).",
    }  # fmt: skip
    return {
        f"budget_{what}_spent": {
            "ENG": (f"No answer: {why['ENG']}", f"{change['ENG']}."),
            "ESP": (f"Sin respuesta: {why['ESP']}", f"{change['ESP']}."),
        },
        f"budget_{what}_handoff": {
            "ENG": (f"Given away: {why['ENG']}", f"{change['ENG']}, and no person had it."),
            "ESP": (f"Entregada: {why['ESP']}", f"{change['ESP']}, y no la llevara una persona."),
        },
    }


# code → (why, what would change it), English and Spanish; {names} are facts, prepared by `_values`.
SENTENCES: dict[str, dict[Language, tuple[str, str]]] = {
    **HANDOFFS,
    **FOLLOW_UPS,
    "all_gates_passed": {
        "ENG": ("An answer is due: nothing stands against it.", "Nothing has to change."),
        "ESP": ("Corresponde responder: nada lo impide.", "No hay nada que cambiar."),
    },
    "contact_blocked": {
        "ENG": ("No answer: the contact is blocked.", "It would answer if the conversation were unblocked."),
        "ESP": ("Sin respuesta: el contacto está bloqueado.", "Respondería si se desbloqueara la conversación."),
    },
    "asker_removed": {
        "ENG": (
            "No answer: who asked is no member of the organization any more.",
            "It would answer if that person were a member again.",
        ),
        "ESP": (
            "Sin respuesta: quien preguntó ya no es miembro de la organización.",
            "Respondería si esa persona volviera a ser miembro.",
        ),
    },
    "owner_is_person": {
        "ENG": (
            "No answer: a person (user {assigned_user_id}) has taken this conversation.",
            "It would answer if the conversation were assigned to an assistant again.",
        ),
        "ESP": (
            "Sin respuesta: una persona (usuario {assigned_user_id}) lleva esta conversación.",
            "Respondería si la conversación se asignara de nuevo a un asistente.",
        ),
    },
    "auto_assignment_disabled": {
        "ENG": (
            "No answer: nobody owns this conversation and automatic assignment is switched off{reason}.",
            "It would answer if an assistant were assigned to the conversation.",
        ),
        "ESP": (
            "Sin respuesta: nadie lleva esta conversación y la asignación automática está desactivada{reason}.",
            "Respondería si se asignara un asistente a la conversación.",
        ),
    },
    "no_assistant": {
        "ENG": (
            "No answer: no assistant is assigned to this conversation{reason}.",
            "It would answer if an assistant were assigned to the conversation or to its channel.",
        ),
        "ESP": (
            "Sin respuesta: ningún asistente está asignado a esta conversación{reason}.",
            "Respondería si se asignara un asistente a la conversación o a su canal.",
        ),
    },
    "assistant_deleted": {
        "ENG": (
            "No answer: the assistant{named} has been deleted.",
            "It would answer if another assistant were assigned to the conversation.",
        ),
        "ESP": (
            "Sin respuesta: el asistente{named} ha sido eliminado.",
            "Respondería si se asignara otro asistente a la conversación.",
        ),
    },
    "out_of_schedule": {
        "ENG": ("No answer: outside the schedule ({hours} {timezone}).", "It would answer {next}{or_reply}."),
        "ESP": ("Sin respuesta: fuera del horario ({hours} {timezone}).", "Respondería {next}{or_reply}."),
    },
    "out_of_schedule_message": {
        "ENG": (
            "No answer, only the out-of-schedule message: outside the schedule ({hours} {timezone}).",
            "It would answer {next}{or_reply}.",
        ),
        "ESP": (
            "Sin respuesta, solo el mensaje de fuera de horario: fuera del horario ({hours} {timezone}).",
            "Respondería {next}{or_reply}.",
        ),
    },
    "out_of_schedule_told": {
        "ENG": (
            "No answer: outside the schedule ({hours} {timezone}); the customer was told so less than"
            " {once_per_hours} h ago.",
            "It would answer {next}{or_reply}.",
        ),
        "ESP": (
            "Sin respuesta: fuera del horario ({hours} {timezone}); se avisó al cliente hace menos de"
            " {once_per_hours} h.",
            "Respondería {next}{or_reply}.",
        ),
    },
    "out_of_schedule_muted": {
        "ENG": (
            "No answer: outside the schedule ({hours} {timezone}), and replies are switched off.",
            "It would answer {next} if disable_reply were false.",
        ),
        "ESP": (
            "Sin respuesta: fuera del horario ({hours} {timezone}), y las respuestas están desactivadas.",
            "Respondería {next} si disable_reply fuera false.",
        ),
    },
    **_of_the_day("cost", "{cost_today} of {daily_cost_limit}", "{cost_today} de {daily_cost_limit}"),
    **_of_the_day(
        "tokens", "{tokens_today} of {daily_token_limit} tokens", "{tokens_today} de {daily_token_limit} tokens"
    ),
    "conversation_budget_spent": {
        "ENG": (
            "No answer: the limit of one conversation is spent ({conversation_cost} of {max_cost_per_conversation} US"
            " dollars).",
            "It would answer if max_cost_per_conversation were higher, or after the conversation was closed.",
        ),
        "ESP": (
            "Sin respuesta: el límite de una conversación está gastado ({conversation_cost} de"
            " {max_cost_per_conversation} dólares).",
            "Respondería si max_cost_per_conversation fuera mayor, o después de cerrarse la conversación.",
        ),
    },
    "conversation_budget_handoff": {
        "ENG": (
            "Handed over: the limit of one conversation is spent ({conversation_cost} of {max_cost_per_conversation} US"
            " dollars).",
            "It would answer if max_cost_per_conversation were higher and an assistant were assigned again.",
        ),
        "ESP": (
            "Entregada: el límite de una conversación está gastado ({conversation_cost} de {max_cost_per_conversation}"
            " dólares).",
            "Respondería si max_cost_per_conversation fuera mayor y se asignara de nuevo un asistente.",
        ),
    },
    "assistant_budget_spent": {
        "ENG": (
            "No answer: the assistant's limit of the day is spent ({assistant_cost_today} of {max_cost_per_day} US"
            " dollars).",
            "It would answer tomorrow ({timezone}), or if max_cost_per_day were higher.",
        ),
        "ESP": (
            "Sin respuesta: el límite diario del asistente está gastado ({assistant_cost_today} de {max_cost_per_day}"
            " dólares).",
            "Respondería mañana ({timezone}), o si max_cost_per_day fuera mayor.",
        ),
    },
    "assistant_budget_handoff": {
        "ENG": (
            "Handed over: the assistant's limit of the day is spent ({assistant_cost_today} of {max_cost_per_day} US"
            " dollars).",
            "It would answer if max_cost_per_day were higher and an assistant were assigned again.",
        ),
        "ESP": (
            "Entregada: el límite diario del asistente está gastado ({assistant_cost_today} de {max_cost_per_day}"
            " dólares).",
            "Respondería si max_cost_per_day fuera mayor y se asignara de nuevo un asistente.",
        ),
    },
    "reply_disabled": {
        "ENG": (
            "Nothing was sent: replies are switched off; the message was only analysed.",
            "It would answer if disable_reply were false.",
        ),
        "ESP": (
            "No se envió nada: las respuestas están desactivadas; el mensaje solo se analizó.",
            "Respondería si disable_reply fuera false.",
        ),
    },
    "staff_reply_disabled": {
        "ENG": ("No answer: the assistant's replies are switched off.", "It would answer if disable_reply were false."),
        "ESP": (
            "Sin respuesta: las respuestas del asistente están desactivadas.",
            "Respondería si disable_reply fuera false.",
        ),
    },
}

_CLOSED = {"ENG": "closed", "ESP": "cerrado"}
_NEXT = {
    "ENG": ("from {} on", "if the schedule had an opening"),
    "ESP": ("a partir de {}", "si el horario tuviera una apertura"),
}
_TO: dict[Language, dict[str, str]] = {
    "ENG": {"to_user_id": "user {}", "to_team_id": "team {}", "queue": "the queue"},
    "ESP": {"to_user_id": "el usuario {}", "to_team_id": "el equipo {}", "queue": "la cola"},
}
_OR_REPLY: dict[Language, str] = {
    "ENG": ", or now if out_of_schedule.action were reply",
    "ESP": ", o ahora si out_of_schedule.action fuera reply",
}


def explain(code: str, facts: Mapping[str, Json], language: Language) -> Explanation:
    """The sentences of a reason. A code without a sentence is shown as it is, so that nothing is hidden."""
    pair = SENTENCES.get(code) or ENDINGS.get(code)
    if pair is None:
        return Explanation(code, "")
    why, would_change = pair[language]
    values = _values(facts, language)
    said = [text.format_map(values) for text in (why, would_change)]
    if language == "ESP":
        said = [text.replace(" a el ", " al ") for text in said]
    return Explanation(*said)


class _Values(dict[str, str]):
    """A fact that was not recorded shows as a dash instead of an error."""

    def __missing__(self, key: str) -> str:
        return "–"


def _values(facts: Mapping[str, Json], language: Language) -> _Values:
    values = _Values({name: str(value) for name, value in facts.items() if value is not None})
    reason = facts.get("ai_auto_assignment_disabled_reason") or facts.get("owner_reason")
    values["reason"] = f" ({owner_words(str(reason), language)})" if reason else ""
    # A revocation is settled without its facts: then the assistant goes unnamed.
    values["named"] = f" {facts['name']}" if facts.get("name") else ""
    if facts.get("cause"):
        values["cause"] = cause_words(str(facts["cause"]), language)
    values["hours"] = _hours(facts, language)
    values["next"] = _next(facts, language)
    values["to"] = _to(facts, language)
    values["or_reply"] = _OR_REPLY[language]
    values.update(values_of(facts, language))
    return values


def _to(facts: Mapping[str, Json], language: Language) -> str:
    """Who has the conversation after a hand-off."""
    words = _TO[language]
    for name in ("to_user_id", "to_team_id"):
        if facts.get(name) is not None:
            return words[name].format(facts[name])
    return words["queue"]


def clock_text(minutes: int) -> str:
    """Minutes since midnight as HH:MM; over 24:00 it is the next day's time."""
    return "24:00" if minutes == 24 * 60 else f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def _hours(facts: Mapping[str, Json], language: Language) -> str:
    weekday, ranges = facts.get("weekday"), facts.get("ranges")
    if not isinstance(weekday, int) or not isinstance(ranges, list):
        return "–"
    spans = [
        f"{clock_text(pair[0])}–{clock_text(pair[1])}"
        for pair in ranges
        if isinstance(pair, list) and isinstance(pair[0], int) and isinstance(pair[1], int)
    ]
    return f"{WEEKDAYS[language][weekday]} {', '.join(spans) or _CLOSED[language]}"


def _next(facts: Mapping[str, Json], language: Language) -> str:
    opening, timezone = facts.get("next_opening"), facts.get("timezone")
    at_time, never = _NEXT[language]
    if not isinstance(opening, str) or not isinstance(timezone, str):
        return never
    wall = datetime.fromisoformat(opening).astimezone(ZoneInfo(timezone))
    return at_time.format(f"{WEEKDAYS[language][wall.weekday()]} {wall:%Y-%m-%d %H:%M}")
