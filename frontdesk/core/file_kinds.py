"""What may be uploaded: purposes, media types, sizes, and the keys under which files are stored.

A key is `<organization>/<purpose>/<random>/<name>`. Its random part has 192 bits, so nobody guesses one; its name has
only characters that mean nothing to a shell, a path or an address.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

MB = 1024 * 1024
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
SOUNDS = frozenset(
    {"audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/opus", "audio/amr", "audio/wav", "audio/webm"}
)
FILMS = frozenset({"video/mp4", "video/webm", "video/ogg", "video/quicktime", "video/3gpp"})
# What a browser may show in place. No SVG: it is a program that runs on our address.
SHOWN = IMAGES | SOUNDS | FILMS
OFFICE = "application/vnd.openxmlformats-officedocument."
DOCUMENTS = frozenset(
    {
        "application/pdf", "text/plain", "text/csv", "text/vcard", "text/calendar", "application/rtf",
        "application/zip", "application/json", "application/msword", "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        f"{OFFICE}wordprocessingml.document", f"{OFFICE}spreadsheetml.sheet", f"{OFFICE}presentationml.presentation",
        "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet", "image/heic",
    }
)  # fmt: skip
LONGEST_NAME, LONGEST_ENDING = 80, 10  # characters of a name within a key
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a file is for. A public one is read by whoever has its address, for ever: pictures that customers and
    providers fetch. Any other is read with a signature that expires."""

    types: frozenset[str]
    most_bytes: int
    is_public: bool = False


PURPOSES: Mapping[str, Purpose] = {
    "conversation-file": Purpose(SHOWN | DOCUMENTS, 100 * MB),  # what WhatsApp takes of a document
    "product-media": Purpose(IMAGES | FILMS, 20 * MB, is_public=True),
    "reservation-service-image": Purpose(IMAGES, 10 * MB, is_public=True),
    "avatar": Purpose(IMAGES, 5 * MB, is_public=True),
}
KEY = re.compile(
    rf"([1-9]\d{{0,9}})/({'|'.join(PURPOSES)})/[A-Za-z0-9_-]{{32}}/[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_NAME - 1}}}",
    re.ASCII,
)
CATEGORIES: Mapping[str, frozenset[str]] = {"image": IMAGES, "audio": SOUNDS, "video": FILMS}
ADDRESS = "/files/"


@dataclass(frozen=True, slots=True)
class Key:
    """A key that has the form of ours."""

    text: str
    organization_id: int
    purpose: str

    @property
    def is_public(self) -> bool:
        return PURPOSES[self.purpose].is_public

    @property
    def path(self) -> str:
        """Where our own server answers for it."""
        return ADDRESS + self.text


def read_key(text: str) -> Key | None:
    """The parts of a key; None for a text that is none, whatever it tries."""
    match = KEY.fullmatch(text)
    return Key(text, int(match[1]), match[2]) if match else None


def key_of(s3_path: str | None) -> Key | None:
    """The key that a full path (`s3://bucket/key`) ends with; None where that is none of ours."""
    return read_key(s3_path.removeprefix("s3://").partition("/")[2]) if s3_path else None


def make_key(organization_id: int, purpose: str, file_name: str) -> Key:
    name = f"{organization_id}/{purpose}/{secrets.token_urlsafe(24)}/{plain_name(file_name)}"
    return Key(name, organization_id, purpose)


def plain_name(file_name: str) -> str:
    """`Más fotos.JPG` → `Mas-fotos.JPG`: what is left of a name when only harmless characters stay."""
    name = file_name.replace("\\", "/").rpartition("/")[2]
    stem, _, ending = name.rpartition(".") if name.rpartition(".")[0] else (name, "", "")
    ending = _plain(ending)[:LONGEST_ENDING]
    stem = _plain(stem)[: LONGEST_NAME - LONGEST_ENDING - 1] or "file"
    return f"{stem}.{ending}" if ending else stem


def _plain(text: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", ascii_only).strip("._-")


def category_of(file_type: str) -> str:
    """`image`, `audio`, `video`, or `file` for everything else."""
    return next((name for name, types in CATEGORIES.items() if file_type in types), "file")
