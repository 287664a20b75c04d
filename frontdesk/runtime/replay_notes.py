"""What a replay cannot know, in plain words: it asks no model and no person."""

from __future__ import annotations

from frontdesk.assistants.config import AssistantConfig, Language
from frontdesk.assistants.handoff_config import NoAnswer
from frontdesk.core.errors import Json
from frontdesk.runtime.replay_tally import Tally

NOTES: dict[str, dict[Language, str]] = {
    "model": {
        "ENG": "No model was asked: what it would have said, which tools it would have called and when it would have "
        "handed over by its own judgement is taken from the record, where its turn ran.",
        "ESP": "No se consultó ningún modelo: lo que habría dicho, las herramientas que habría llamado y cuándo habría "
        "entregado por su propio criterio se toma del registro, donde su turno se ejecutó.",
    },
    "people": {
        "ENG": "People and customers are taken to have done what they did. After a changed hand-off the conversation "
        "stays where it went until the record shows another change of its owner, or a new episode.",
        "ESP": "Se supone que las personas y los clientes hicieron lo que hicieron. Tras una entrega distinta, la "
        "conversación queda donde fue hasta que el registro muestre otro cambio de responsable o un episodio nuevo.",
    },
    "bursts": {
        "ENG": "Messages that were answered together then are judged together.",
        "ESP": "Los mensajes que se respondieron juntos se juzgan juntos.",
    },
    "reminders": {
        "ENG": "Of a reminder that a model would have written it is taken that it had something to say, and of a "
        "template that it could be sent. Where an episode ended at an unknown moment between two messages, it is taken "
        "to have ended behind the answer.",
        "ESP": "De un recordatorio que habría escrito un modelo se supone que tenía algo que decir, y de una plantilla "
        "que se podía enviar. Donde un episodio terminó en un momento desconocido entre dos mensajes, se supone que "
        "terminó tras la respuesta.",
    },
    "other_assistants": {
        "ENG": "Messages that another assistant had are as they were, also where this one passed them on.",
        "ESP": "Los mensajes que tuvo otro asistente quedan como fueron, también si este se los pasó.",
    },
    "no_answer": {
        "ENG": "A rule `no_answer` counts turns only where the configuration of then had one.",
        "ESP": "Una regla `no_answer` cuenta turnos solo donde la configuración de entonces tenía una.",
    },
    "costs": {
        "ENG": "The day's costs are those of the record; turns that the draft would have run have no price.",
        "ESP": "Los costes del día son los del registro; los turnos que el borrador habría ejecutado no tienen precio.",
    },
    "not_judged": {
        "ENG": "Some messages were never judged by a gate; they are counted as they were.",
        "ESP": "Algunos mensajes nunca se juzgaron; se cuentan como fueron.",
    },
}


def notes(language: Language, draft: AssistantConfig, tally: Tally) -> list[Json]:
    """The limits of this very replay."""
    rules = draft.human_handoff.known_rules
    codes = ["model", "people", "bursts", "other_assistants"]
    codes += ["reminders"] if draft.follow_up.rules else []
    codes += ["no_answer"] if any(isinstance(rule, NoAnswer) for rule in rules) else []
    codes += ["costs"] if draft.options.budget.is_limited else []
    codes += ["not_judged"] if tally.unjudged else []
    return [{"code": code, "sentence": NOTES[code][language]} for code in codes]
