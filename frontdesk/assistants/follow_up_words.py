"""Why a follow-up was sent or not, in plain words. A reason stands in its row bare, in its decision with a prefix."""

from __future__ import annotations

from typing import Literal

Language = Literal["ENG", "ESP"]  # as `config.py` has it, which imports much

_NOTHING = ("Nothing has to change.", "No hay nada que cambiar.")
_NEXT = (
    "The assistant's next answer schedules new ones.",
    "La próxima respuesta del asistente programa otros.",
)


def _not_sent(english: str, spanish: str, change: tuple[str, str] = _NEXT) -> dict[Language, tuple[str, str]]:
    return {
        "ENG": (f"Follow-up not sent: {english}.", change[0]),
        "ESP": (f"Seguimiento no enviado: {spanish}.", change[1]),
    }


_WORDS: dict[str, dict[Language, tuple[str, str]]] = {
    "due": {
        "ENG": ("Follow-up due: nothing stands against it.", _NOTHING[0]),
        "ESP": ("Corresponde el seguimiento: nada lo impide.", _NOTHING[1]),
    },
    "sent": {
        "ENG": ("Follow-up sent: the customer had not answered.", _NOTHING[0]),
        "ESP": ("Seguimiento enviado: el cliente no había respondido.", _NOTHING[1]),
    },
    "outside_hours": {
        "ENG": ("Follow-up put off: outside the schedule ({hours} {timezone}).", "It is looked at again {next}."),
        "ESP": ("Seguimiento aplazado: fuera del horario ({hours} {timezone}).", "Se vuelve a mirar {next}."),
    },
    "replied": _not_sent("the customer wrote", "el cliente escribió"),
    "closed": _not_sent("the conversation was closed", "la conversación se cerró"),
    "human": _not_sent(
        "a person has the conversation", "una persona lleva la conversación",
        ("It would be sent if the assistant had kept the conversation.",
         "Se enviaría si el asistente hubiera seguido con la conversación."),
    ),
    "opted_out": _not_sent(
        "the contact wants no follow-ups (opted_out_at)", "el contacto no quiere seguimientos (opted_out_at)",
        ("It would be sent if the contact had not opted out; START or ALTA opts in again.",
         "Se enviaría si el contacto no se hubiera dado de baja; con START o ALTA vuelve a darse de alta."),
    ),
    "newer_answer": _not_sent("a newer answer started the time anew", "una respuesta más nueva reinició el plazo"),
    "overtaken": _not_sent(
        "a later follow-up of the same answer was due at the same time",
        "otro seguimiento posterior de la misma respuesta vencía a la vez",
    ),
    "rule_removed": _not_sent(
        "its rule is switched off or gone", "su regla está desactivada o ya no existe",
        ("It would be sent if the rule were in force.", "Se enviaría si la regla estuviera en vigor."),
    ),
    "assistant_deleted": _not_sent("the assistant was deleted", "el asistente se eliminó", _NOTHING),
    "other_owner": _not_sent("the conversation is not this assistant's any more",
                             "la conversación ya no es de este asistente"),
    "newer_epoch": _not_sent("owner or context of the conversation changed meanwhile",
                             "entretanto cambió el responsable o el contexto de la conversación"),
    "contact_blocked": _not_sent("the contact is blocked", "el contacto está bloqueado"),
    "contact_deleted": _not_sent("the contact was deleted", "el contacto se eliminó", _NOTHING),
    "conversation_deleted": _not_sent("the conversation was deleted", "la conversación se eliminó", _NOTHING),
    "max_reached": _not_sent(
        "{sent} of {max} follow-ups of this conversation were sent already",
        "ya se enviaron {sent} de {max} seguimientos de esta conversación",
        ("It would be sent with a higher max_per_conversation.", "Se enviaría con un max_per_conversation mayor."),
    ),
    "reply_disabled": _not_sent(
        "the assistant is in silent mode (disable_reply)", "el asistente está en modo silencioso (disable_reply)",
        ("It would be sent if disable_reply were off.", "Se enviaría si disable_reply estuviera desactivado."),
    ),
    "channel_not_in_rule": _not_sent("its rule does not name the channel {channel}",
                                     "su regla no nombra el canal {channel}"),
    "never_open": _not_sent(
        "it waits for the schedule, which never opens", "espera al horario, que nunca abre",
        ("It would be sent if the schedule opened, or only_in_schedule were off.",
         "Se enviaría si el horario abriera, o sin only_in_schedule."),
    ),
    "budget_spent": _not_sent(
        "the budget for models is spent", "el presupuesto de los modelos está agotado",
        ("It would be sent with a higher budget, or by a rule of the mode fixed.",
         "Se enviaría con más presupuesto, o con una regla de modo fixed."),
    ),
    "window_closed": _not_sent(
        "more than 24 hours have passed since the customer's last message, and the rule has no template for it",
        "pasaron más de 24 horas desde el último mensaje del cliente y la regla no tiene plantilla para ello",
        ("It would be sent if the rule had a template (template_id).",
         "Se enviaría si la regla tuviera una plantilla (template_id)."),
    ),
    "template_not_here": _not_sent(
        "templates are WhatsApp's, and this conversation is on {channel}",
        "las plantillas son de WhatsApp y esta conversación es de {channel}",
    ),
    "template_unusable": _not_sent(
        "the template cannot be sent: {detail}", "la plantilla no se puede enviar: {detail}"
    ),
    "nothing_to_say": _not_sent(
        "the assistant found that the conversation needs none", "el asistente vio que la conversación no lo necesita",
        _NOTHING,
    ),
    "model_failed": _not_sent("the model failed", "el modelo falló"),
    "undelivered": _not_sent("the channel refused it", "el canal lo rechazó"),
    "unknown": {
        "ENG": ("Follow-up sent, but whether it arrived is unknown.", _NOTHING[0]),
        "ESP": ("Seguimiento enviado, pero no se sabe si llegó.", _NOTHING[1]),
    },
}  # fmt: skip


PREFIX = "follow_up_"  # what tells them from the reasons of other decisions, which have some of the same names
FOLLOW_UPS = {f"{PREFIX}{reason}": words for reason, words in _WORDS.items()}
