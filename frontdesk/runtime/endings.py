"""How a turn may end, in plain words: the codes of a decision's last reason that no gate gives."""

from __future__ import annotations

from frontdesk.assistants.config import Language
from frontdesk.runtime.failure_words import ended

_UNASSIGNED = (
    "It would answer if an assistant were assigned to the conversation again.",
    "Respondería si se asignara de nuevo un asistente a la conversación.",
)


def _pair(english: str, spanish: str, change: tuple[str, str]) -> dict[Language, tuple[str, str]]:
    return {"ENG": (english, change[0]), "ESP": (spanish, change[1])}


_NOTHING = ("Nothing has to change.", "No hay nada que cambiar.")

ENDINGS: dict[str, dict[Language, tuple[str, str]]] = {
    **ended(),
    "received": _pair("Not decided yet.", "Aún sin decidir.", _NOTHING),
    "waits_for_approval": _pair(
        "No answer yet: a person has to approve {tools}.",
        "Aún sin respuesta: una persona tiene que aprobar {tools}.",
        ("It goes on when a person decides (/ai-approvals).", "Sigue cuando una persona decida (/ai-approvals)."),
    ),
    "customer_opted_out": _pair(
        "No answer by an assistant: the customer opted out of reminders and offers.",
        "Sin respuesta de un asistente: el cliente se dio de baja de recordatorios y ofertas.",
        ("Any other message is answered.", "Cualquier otro mensaje se responde."),
    ),
    "customer_opted_in": _pair(
        "No answer by an assistant: the customer opted in to reminders and offers again.",
        "Sin respuesta de un asistente: el cliente volvió a darse de alta en recordatorios y ofertas.",
        ("Any other message is answered.", "Cualquier otro mensaje se responde."),
    ),
    "answered": _pair("Answered.", "Respondido.", _NOTHING),
    "handed_off": _pair(
        "No answer: the assistant handed the conversation to {to} ({cause}).",
        "Sin respuesta: el asistente entregó la conversación a {to} ({cause}).",
        _UNASSIGNED,
    ),
    "handed_off_after_failure": _pair(
        "No answer: {why}{detail}; the conversation went to {to}.",
        "Sin respuesta: {why}{detail}; la conversación pasó a {to}.",
        ("{remedy}", "{remedy}"),
    ),
    "handed_off_after_claim": _pair(
        "No answer: {why}; the conversation went to {to}.",
        "Sin respuesta: {why}; la conversación pasó a {to}.",
        ("{remedy}", "{remedy}"),
    ),
    "handed_to_assistant": _pair(
        "Not answered by this assistant: it passed the conversation on to another one.",
        "Sin respuesta de este asistente: pasó la conversación a otro.",
        _NOTHING,
    ),
    "superseded": _pair(
        "The answer was not finished: the customer wrote again.",
        "La respuesta no se terminó: el cliente volvió a escribir.",
        _NOTHING,
    ),
    "person_took_over": _pair(
        "The answer was not sent: a person took the conversation over.",
        "La respuesta no se envió: una persona tomó la conversación.",
        _UNASSIGNED,
    ),
    "conversation_closed": _pair(
        "The answer was not sent: the conversation was closed.",
        "La respuesta no se envió: la conversación se cerró.",
        ("The next message opens it again.", "El siguiente mensaje la abre de nuevo."),
    ),
    "conversation_deleted": _pair(
        "No answer: the conversation was deleted.", "Sin respuesta: la conversación se eliminó.", _NOTHING
    ),
    "newer_epoch": _pair(
        "The answer was not sent: owner or context of the conversation changed meanwhile.",
        "La respuesta no se envió: entretanto cambió el responsable o el contexto de la conversación.",
        ("The next message is answered.", "El siguiente mensaje se responde."),
    ),
    "delivery_failed": _pair(
        "The answer could not be delivered: the channel refused it.",
        "La respuesta no se pudo entregar: el canal la rechazó.",
        ("It would arrive if the channel accepted it.", "Llegaría si el canal la aceptara."),
    ),
    "delivery_unknown": _pair(
        "The answer was sent, but whether it arrived is unknown.",
        "La respuesta se envió, pero no se sabe si llegó.",
        _NOTHING,
    ),
    "outside_window": _pair(
        "The answer was not sent: more than 24 hours had passed since the customer's last message.",
        "La respuesta no se envió: pasaron más de 24 horas desde el último mensaje del cliente.",
        ("It would go out after the customer's next message.", "Saldría tras el próximo mensaje del cliente."),
    ),
    "contact_deleted": _pair(
        "The answer was not sent: the contact was deleted.",
        "La respuesta no se envió: el contacto se eliminó.",
        _NOTHING,
    ),
    "nothing_to_answer": _pair(
        "No answer: the message is gone or lies before the context's begin.",
        "Sin respuesta: el mensaje ya no existe o es anterior al comienzo del contexto.",
        _NOTHING,
    ),
}
