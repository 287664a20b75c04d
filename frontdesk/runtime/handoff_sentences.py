"""Hand-offs that a gate decided, in plain words: the rules that need no model, and the schedule."""

from __future__ import annotations

from frontdesk.assistants.config import Language

_CHANGE: dict[Language, str] = {
    "ENG": "It would answer if rule {rule_id} did not match, or if an assistant were assigned again.",
    "ESP": "Respondería si la regla {rule_id} no se cumpliera, o si se asignara de nuevo un asistente.",
}


def _by_rule(english: str, spanish: str) -> dict[Language, tuple[str, str]]:
    return {
        "ENG": (f"No answer: handed to a person, because {english} (rule {{rule_id}}).", _CHANGE["ENG"]),
        "ESP": (f"Sin respuesta: entregada a una persona, porque {spanish} (regla {{rule_id}}).", _CHANGE["ESP"]),
    }


HANDOFFS: dict[str, dict[Language, tuple[str, str]]] = {
    "handoff_keywords": _by_rule("the customer wrote “{matched}”", "el cliente escribió «{matched}»"),
    "handoff_message_count": _by_rule(
        "the customer has written {matched} messages", "el cliente ha escrito {matched} mensajes"
    ),
    "handoff_attachment": _by_rule(
        "the customer sent an attachment ({matched})", "el cliente envió un archivo ({matched})"
    ),
    "handoff_no_answer": _by_rule(
        "{matched} turns in a row made no progress", "{matched} turnos seguidos no avanzaron"
    ),
    "out_of_schedule_handoff": {
        "ENG": (
            "No answer: outside the schedule ({hours} {timezone}), so it was handed to a person.",
            "It would answer {next}{or_reply}.",
        ),
        "ESP": (
            "Sin respuesta: fuera del horario ({hours} {timezone}), así que se entregó a una persona.",
            "Respondería {next}{or_reply}.",
        ),
    },
}  # fmt: skip
