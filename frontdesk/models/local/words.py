"""What the guards say by themselves, in English and in Spanish, and which of the two a customer writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "es"]

SPANISH = """
hola buenos buenas días tardes gracias quiero quisiera puedo puede puedes puedas cuál cual cuánto cuanto cuesta qué que
cómo como mi mis el la los las un una es son está tengo tiene para por favor con de del y mañana cita teléfono telefono
correo número numero cambiar cambia cambie añade anota nombre hay tienen sí dime soy
hecho guardado listo busca corrige esa ese eso nota notas al su sus tu tus te se lo le están muy ya pero todo está
"""
ENGLISH = """
hello hi good morning thanks thank you want would can could what how much cost which my the an is are do does have for
please with of and tomorrow appointment phone email number change add note name there yes tell i it
done saved
"""
COMMON: dict[Language, frozenset[str]] = {"en": frozenset(ENGLISH.split()), "es": frozenset(SPANISH.split())}
WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Phrases:
    """The fixed lines. `{}` stands for what is asked for or was changed."""

    unknown: str
    ask: str
    ask_change: str
    ask_which: str
    not_done: str
    receipt: str
    done: str
    joiner: str
    labels: dict[str, str]


ENGLISH_PHRASES = Phrases(
    unknown="I don't have that information here.",
    ask="Could you please tell me {}?",
    ask_change="What would you like me to change, and to what?",
    ask_which="I found more than one. Which one do you mean?",
    not_done="I haven't changed anything yet. Could you tell me exactly what you need?",
    receipt="Saved: {}.",
    done="Done.",
    joiner=" and ",
    labels={
        "email": "the e-mail address",
        "phone": "the phone number",
        "first_name": "the first name",
        "last_name": "the last name",
        "name": "the name",
        "text": "what the note should say",
        "search": "what to look for",
        "query": "what to look for",
        "contact": "the name of the contact",
        "product": "which product or service",
        "note": "which note",
        "date": "the date",
    },
)
SPANISH_PHRASES = Phrases(
    unknown="No tengo esa información aquí.",
    ask="¿Me puedes decir {}, por favor?",
    ask_change="¿Qué quieres que cambie y cuál es el nuevo valor?",
    ask_which="He encontrado más de uno. ¿A cuál te refieres?",
    not_done="Todavía no he cambiado nada. ¿Me puedes decir exactamente qué necesitas?",
    receipt="Guardado: {}.",
    done="Hecho.",
    joiner=" y ",
    labels={
        "email": "el correo electrónico",
        "phone": "el número de teléfono",
        "first_name": "el nombre",
        "last_name": "los apellidos",
        "name": "el nombre",
        "text": "qué debe decir la nota",
        "search": "qué buscas",
        "query": "qué buscas",
        "contact": "el nombre del contacto",
        "product": "qué producto o servicio",
        "note": "qué nota",
        "date": "la fecha",
    },
)
PHRASES: dict[Language, Phrases] = {"en": ENGLISH_PHRASES, "es": SPANISH_PHRASES}


def language_of(texts: Sequence[str]) -> Language:
    """By common words, the newest text first; a text that tells nothing leaves it to the one before."""
    for text in texts:
        if re.search(r"[¿¡ñ]", text.lower()):
            return "es"
        words = WORD.findall(text.lower())
        spanish = sum(word in COMMON["es"] for word in words)
        english = sum(word in COMMON["en"] for word in words)
        if spanish != english:
            return "es" if spanish > english else "en"
    return "en"


def ask_for(names: Sequence[str], phrases: Phrases) -> str:
    labels = list(dict.fromkeys(phrases.labels.get(name, name.replace("_", " ")) for name in names))
    return phrases.ask.format(phrases.joiner.join(labels))
