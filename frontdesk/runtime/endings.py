"""How a turn may end, in plain words: the codes of a decision's last reason that no gate gives."""

from __future__ import annotations

from frontdesk.assistants.config import Language

_UNASSIGNED = (
    "It would answer if an assistant were assigned to the conversation again.",
    "Respondería si se asignara de nuevo un asistente a la conversación.",
)


def _pair(english: str, spanish: str, change: tuple[str, str]) -> dict[Language, tuple[str, str]]:
    return {"ENG": (english, change[0]), "ESP": (spanish, change[1])}


_NOTHING = ("Nothing has to change.", "No hay nada que cambiar.")

ENDINGS: dict[str, dict[Language, tuple[str, str]]] = {
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
    "model_failed": _pair(
        "No answer by the model: it failed several times, so the customer got the fixed line.",
        "Sin respuesta del modelo: falló varias veces, así que el cliente recibió la frase fija.",
        _UNASSIGNED,
    ),
    "model_rejected": _pair(
        "No answer by the model: the provider refused the request, so the customer got the fixed line.",
        "Sin respuesta del modelo: el proveedor rechazó la petición, así que el cliente recibió la frase fija.",
        (
            "It would answer with a working key and model, and an assistant assigned again.",
            "Respondería con una clave y un modelo que funcionen, y un asistente asignado de nuevo.",
        ),
    ),
    "no_key": _pair(
        "No answer by a model: the key for its provider is missing, so the customer got the fixed line.",
        "Sin respuesta de un modelo: falta la clave de su proveedor, así que el cliente recibió la frase fija.",
        (
            "It would answer if the key were stored and an assistant assigned again.",
            "Respondería si se guardara la clave y se asignara de nuevo un asistente.",
        ),
    ),
    "handed_off": _pair(
        "No answer: the assistant handed the conversation to {to} ({cause}).",
        "Sin respuesta: el asistente entregó la conversación a {to} ({cause}).",
        _UNASSIGNED,
    ),
    "handed_off_after_failure": _pair(
        "No answer by the model: it failed ({cause}), and the conversation went to {to}.",
        "Sin respuesta del modelo: falló ({cause}) y la conversación pasó a {to}.",
        _UNASSIGNED,
    ),
    "handed_off_after_claim": _pair(
        "No answer: the reply said that something was done, and no tool had done it; the conversation went to {to}.",
        "Sin respuesta: decía que algo se hizo, y ninguna herramienta lo hizo; la conversación pasó a {to}.",
        _UNASSIGNED,
    ),
    "claim_without_receipt": _pair(
        "No answer: the reply said twice that something was done, and no tool had done it.",
        "Sin respuesta: la respuesta decía dos veces que algo se hizo, y ninguna herramienta lo hizo.",
        (
            "It would answer if an assistant were assigned again, with a tool that does it, or with receipts off.",
            "Respondería si se asignara de nuevo un asistente, con una herramienta que lo haga, o con receipts en off.",
        ),
    ),
    "handed_to_assistant": _pair(
        "Not answered by this assistant: it passed the conversation on to another one.",
        "Sin respuesta de este asistente: pasó la conversación a otro.",
        _NOTHING,
    ),
    "too_many_tool_calls": _pair(
        "No answer: the model went on calling tools beyond the limit, so the customer got the fixed line.",
        "Sin respuesta: el modelo siguió llamando herramientas pese al límite; el cliente recibió la frase fija.",
        _UNASSIGNED,
    ),
    "internal_error": _pair(
        "No answer: the turn broke on our side, so the customer got the fixed line.",
        "Sin respuesta: el turno falló por nuestra parte, así que el cliente recibió la frase fija.",
        _UNASSIGNED,
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
