"""A model that gave no answer, in plain words: what was wrong, and what the operator does about it.

One list for the decision of a turn that failed, for that of one that was handed over, and for the note of the person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from frontdesk.assistants.config import Language
from frontdesk.core.errors import Json


@dataclass(frozen=True, slots=True)
class Words:
    """`why` follows "because" or a colon, `remedy` is a sentence. English and Spanish."""

    why: tuple[str, str]
    remedy: tuple[str, str]


_LATER = (
    "The next message is tried again; a fallback model would stand in for it.",
    "Con el próximo mensaje se intenta de nuevo; un modelo de reserva respondería en su lugar.",
)
_AGAIN = ("; the next message is tried again.", "; con el próximo mensaje se intenta de nuevo.")


def _fix(english: str, spanish: str) -> tuple[str, str]:
    return english + _AGAIN[0], spanish + _AGAIN[1]


FAILURES: dict[str, Words] = {
    "model_failed": Words(("the model failed several times", "el modelo falló varias veces"), _LATER),
    "model_timed_out": Words(
        ("the model gave no whole answer in time", "el modelo no dio una respuesta completa a tiempo"), _LATER
    ),
    "model_unreachable": Words(
        ("the provider's server could not be reached", "no se pudo contactar con el servidor del proveedor"),
        _fix("Check that the server runs and that its address is right", "Comprueba el servidor y su dirección"),
    ),
    "rate_limited": Words(
        ("the provider takes no more requests for now", "el proveedor no acepta más peticiones por ahora"),
        _fix("Raise the limit at the provider or add a fallback model",
             "Amplía el límite en el proveedor o añade un modelo de reserva"),
    ),
    "quota_spent": Words(
        ("the account at the provider has no credit left", "la cuenta del proveedor no tiene saldo"),
        _fix("Top up the account at the provider", "Recarga la cuenta del proveedor"),
    ),
    "wrong_key": Words(
        ("the provider refuses the key", "el proveedor rechaza la clave"),
        _fix("Enter a key that works and may use this model", "Introduce una clave válida que pueda usar este modelo"),
    ),
    "unknown_model": Words(
        ("the provider does not know the model (any more)", "el proveedor no conoce (ya) el modelo"),
        _fix("Choose another model, or check its name and address", "Elige otro modelo, o revisa nombre y dirección"),
    ),
    "model_rejected": Words(
        ("the provider refused the request", "el proveedor rechazó la petición"),
        _fix("Check the model and advanced_options", "Revisa el modelo y advanced_options"),
    ),
    "content_filtered": Words(
        ("the provider's content filter stopped it", "el filtro de contenido del proveedor lo impidió"),
        _fix("Answer yourself, or choose another provider's model", "Responde tú, o elige el modelo de otro proveedor"),
    ),
    "context_too_long": Words(
        ("it was too long for the model, even shortened", "era demasiado largo para el modelo, incluso abreviado"),
        _fix("Shorten the instructions, offer fewer tools, or choose a model with a larger context",
             "Acorta las instrucciones, ofrece menos herramientas o elige un modelo con más contexto"),
    ),
    "answer_cut_off": Words(
        ("the limit of the answer was used up before its first word", "el límite de la respuesta se agotó antes de la"
         " primera palabra"),
        _fix("Raise max_output_tokens or lower reasoning_effort", "Sube max_output_tokens o baja reasoning_effort"),
    ),
    "too_many_tool_calls": Words(
        ("the model went on calling tools beyond the limit", "el modelo siguió llamando herramientas pese al límite"),
        _fix("Raise max_tool_calls or make the instructions clearer", "Sube max_tool_calls o aclara las instrucciones"),
    ),
    "internal_error": Words(
        ("the turn broke on our side", "el turno falló por nuestra parte"),
        ("It would answer after a while, or if an assistant were assigned again; the server's log says more.",
         "Respondería pasado un rato, o si se asignara de nuevo un asistente; el registro del servidor dice más."),
    ),
    "no_key": Words(
        ("the key for the model's provider is missing", "falta la clave del proveedor del modelo"),
        _fix("Store the key", "Guarda la clave"),
    ),
    "no_model": Words(
        ("no model is configured", "no hay ningún modelo configurado"),
        _fix("Add a provider's key or switch the built-in model on",
             "Añade la clave de un proveedor o activa el modelo incorporado"),
    ),
    "claim_without_receipt": Words(
        ("the reply said twice that something was done, and no tool had done it",
         "la respuesta decía dos veces que algo se hizo, y ninguna herramienta lo hizo"),
        _fix("Give it a tool that does it, or set receipts off", "Dale una herramienta que lo haga, o receipts en off"),
    ),
}  # fmt: skip

# What the customer got of it: a fact of the decision (`line`).
LINES: dict[str, tuple[str, str]] = {
    "sent": ("the customer got the fixed line", "el cliente recibió la frase fija"),
    "before": ("the customer had got the fixed line already", "el cliente ya tenía la frase fija"),
    "muted": ("nothing was sent, for replies are off", "no se envió nada: las respuestas están desactivadas"),
    "asker": ("who asked was told so", "se avisó a quien preguntó"),
}
_ASSIGNED = (
    "A person has it now; an assistant would answer if one were assigned again.",
    "Ahora lo lleva una persona; un asistente respondería si se asignara de nuevo.",
)


# With these a conversation waits for its assistant: the next message is tried again. A turn that breaks on our side may
# take its process down each time, so that one waits a while.
RETRIED = frozenset((*FAILURES, "budget_cost_handoff", "budget_tokens_handoff", "conversation_budget_handoff",
                     "assistant_budget_handoff"))  # fmt: skip
PASSING = frozenset(("model_failed", "model_timed_out", "rate_limited", "internal_error"))
WAITS: Mapping[str, timedelta] = {"internal_error": timedelta(minutes=15)}


def place(language: Language) -> int:
    return 0 if language == "ENG" else 1


def staff_line(code: str, language: Language) -> str | None:
    """What a member of the team reads where somebody has to put something right; None where waiting may do."""
    words = FAILURES.get(code)
    if words is None or code in PASSING:
        return None
    return f"{'No answer' if language == 'ENG' else 'Sin respuesta'}: {words.why[place(language)]}."


def ended() -> dict[str, dict[Language, tuple[str, str]]]:
    """The sentences of turns that failed, for `endings.py`."""
    return {
        code: {
            "ENG": (f"No answer: {words.why[0]}{{detail}}; {{line}}.", words.remedy[0]),
            "ESP": (f"Sin respuesta: {words.why[1]}{{detail}}; {{line}}.", words.remedy[1]),
        }
        for code, words in FAILURES.items()
    }


def values_of(facts: Mapping[str, Json], language: Language) -> dict[str, str]:
    """What the sentences of a failure say of its facts: `failure` is the code, `error` the line of the trace, `line`
    what the customer got."""
    at, line, error = place(language), facts.get("line"), facts.get("error")
    values = {"line": LINES[str(line) if line in LINES else "sent"][at], "detail": f" ({error})" if error else ""}
    words = FAILURES.get(str(facts.get("failure")))
    if words is not None:
        values |= {"why": words.why[at], "remedy": f"{words.remedy[at].split(';')[0].rstrip('.')}. {_ASSIGNED[at]}"}
    return values
