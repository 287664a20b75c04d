"""What is said of a tool call that waits for a person: to the customer, to the team, to the model."""

from __future__ import annotations

from frontdesk.assistants.config import Language
from frontdesk.core.errors import Json

# One fixed line in the assistant's language; in a staff chat the reader is the person who is waited for.
LINES: dict[Language, str] = {
    "ENG": "I am checking this with a colleague and will get back to you here.",
    "ESP": "Lo estoy consultando con un compañero y te respondo por aquí.",
}
STAFF_LINES: dict[Language, str] = {
    "ENG": "This needs your approval: {tools}. Approve or refuse it, and I go on.",
    "ESP": "Esto necesita tu aprobación: {tools}. Apruébalo o recházalo y continúo.",
}

# A status, or the reason of one that came to nothing.
_STATES: dict[str, dict[Language, str]] = {
    "pending": {"ENG": "It waits for a person.", "ESP": "Espera a una persona."},
    "approved": {
        "ENG": "A person approved it; the call is about to be made.",
        "ESP": "Una persona la aprobó; la llamada está a punto de hacerse.",
    },
    "refused": {
        "ENG": "A person refused it; the call was not made.",
        "ESP": "Una persona la rechazó; la llamada no se hizo.",
    },
    "used": {
        "ENG": "A person approved it, and the call was made once.",
        "ESP": "Una persona la aprobó y la llamada se hizo una vez.",
    },
    "expired": {
        "ENG": "Nobody decided in time; the call was not made.",
        "ESP": "Nadie decidió a tiempo; la llamada no se hizo.",
    },
    "void": {
        "ENG": "It came to nothing: the turn ended without the call ({reason}).",
        "ESP": "Quedó sin efecto: el turno terminó sin la llamada ({reason}).",
    },
    "superseded": {
        "ENG": "It came to nothing: the customer wrote again.",
        "ESP": "Quedó sin efecto: el cliente volvió a escribir.",
    },
    "configuration_changed": {
        "ENG": "It came to nothing: the assistant's configuration changed.",
        "ESP": "Quedó sin efecto: cambió la configuración del asistente.",
    },
    "tool_changed": {
        "ENG": "It came to nothing: the tool was changed or deleted.",
        "ESP": "Quedó sin efecto: la herramienta se cambió o se eliminó.",
    },
    "person_took_over": {
        "ENG": "It came to nothing: a person took the conversation over.",
        "ESP": "Quedó sin efecto: una persona tomó la conversación.",
    },
    "conversation_closed": {
        "ENG": "It came to nothing: the conversation was closed.",
        "ESP": "Quedó sin efecto: la conversación se cerró.",
    },
    "conversation_deleted": {
        "ENG": "It came to nothing: the conversation was deleted.",
        "ESP": "Quedó sin efecto: la conversación se eliminó.",
    },
    "newer_epoch": {
        "ENG": "It came to nothing: owner or context of the conversation changed.",
        "ESP": "Quedó sin efecto: cambió el responsable o el contexto de la conversación.",
    },
}

# The model reads these as the failed result of its call.
TO_MODEL: dict[str, str] = {
    "refused": "{tool} was not called: a person of the team refused it.",
    "expired": "{tool} was not called: nobody of the team approved it in time. Say so; a person will look at it.",
    "superseded": "{tool} was not called: the customer wrote again before a person had approved it.",
    "configuration_changed": "{tool} was not called: the assistant's configuration changed before it was approved. "
    "Call it again if it is still needed.",
    "tool_changed": "{tool} was not called: the tool was changed before the call was approved. Call it again as it is"
    " now, if it is still needed.",
    "used": "The approval of this call of {tool} has been used. Do not repeat it.",
}
NOTE = " Their note: {note}"
NOTHING = "{tool} was not called: its approval came to nothing."
CONFIRMED = "A person of the team confirms each call before it is made; the result comes after that."


def sentence_of(status: str, reason: Json, language: Language) -> str:
    """An approval's state in words; a reason that has none is named by its code."""
    words = _STATES.get(str(reason)) if status == "void" else None
    return (words or _STATES[status])[language].format(reason=reason)


def told_to_model(tool: str, status: str, reason: str | None, note: str | None) -> str:
    """Why a call was not made, for the model."""
    sentence = TO_MODEL.get(reason or status, TO_MODEL.get(status, NOTHING)).format(tool=tool)
    return sentence + NOTE.format(note=note) if note and status == "refused" else sentence
