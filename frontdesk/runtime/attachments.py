"""What a model reads of a message that is more than words: a note that it is there, in the assistant's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from frontdesk.assistants.config import Language
from frontdesk.core.errors import Json

Why = Literal["off", "model", "refused", "too_many", "too_large", "no_image", "unreadable"]

LONGEST_NAME = 120  # characters; a file's name is the customer's text


@dataclass(frozen=True, slots=True)
class AttachmentWords:
    kinds: Mapping[str, str]
    unseen: str
    why: Mapping[Why, str]


WORDS: dict[Language, AttachmentWords] = {
    "ENG": AttachmentWords(
        {"image": "image", "video": "video", "document": "document", "audio": "audio", "location": "location"},
        "you cannot see it, because {why}",
        {
            "off": "looking at images is switched off for you",
            "model": "your model takes no images",
            "refused": "your model did not take it",
            "too_many": "only the latest images are shown to you",
            "too_large": "the file is too large",
            "no_image": "the file is no PNG, JPEG, GIF or WebP image",
            "unreadable": "the file could not be read",
        },
    ),
    "ESP": AttachmentWords(
        {"image": "imagen", "video": "vídeo", "document": "documento", "audio": "audio", "location": "ubicación"},
        "no puedes verla, porque {why}",
        {
            "off": "tienes desactivado mirar imágenes",
            "model": "tu modelo no admite imágenes",
            "refused": "tu modelo no la aceptó",
            "too_many": "solo se te muestran las últimas imágenes",
            "too_large": "el archivo es demasiado grande",
            "no_image": "el archivo no es una imagen PNG, JPEG, GIF o WebP",
            "unreadable": "no se pudo leer el archivo",
        },
    ),
}


def file_note(kind: str, file_name: str | None, language: Language, why: Why | None = None) -> str:
    """`[image: teeth.jpg]`; with `why` it says that the model does not see it, and the reason."""
    words = WORDS[language]
    name = "".join(c for c in (file_name or "")[:LONGEST_NAME] if c not in "[]\n")
    note = f"{words.kinds[kind]}: {name}" if name else words.kinds[kind]
    return f"[{note}; {words.unseen.format(why=words.why[why])}]" if why else f"[{note}]"


def place_note(location: Mapping[str, Json], language: Language) -> str:
    """`[location: 4.7, -74.1, Office]`"""
    name = str(location.get("name") or "")[:LONGEST_NAME]
    known = (location.get("latitude"), location.get("longitude"), name)
    return f"[{WORDS[language].kinds['location']}: {', '.join(str(one) for one in known if one not in (None, ''))}]"
