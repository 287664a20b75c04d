"""What was really said in a conversation: customers' words, results of tools, instructions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from frontdesk.models.local.shapes import singular
from frontdesk.models.local.text import digits, plain
from frontdesk.models.transcript import Returned, Said, Transcript

NUMBER = re.compile(r"\+?\d(?:[\d .,:/()-]*\d)?")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
LINK = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
HALF_DAY = re.compile(r"\b(\d{1,2})(:\d{2})?\s*([apAP])\.?[mM]\b\.?")
CONTEXT_ID = re.compile(r"\b([a-z]+)_id\"?\s*[:=]\s*(\d+)")
COUNTED = (
    ("zero", "cero"), ("one", "un", "uno", "una"), ("two", "dos"), ("three", "tres"), ("four", "cuatro"),
    ("five", "cinco"), ("six", "seis"), ("seven", "siete"), ("eight", "ocho"), ("nine", "nueve"), ("ten", "diez"),
)  # fmt: skip
NUMBER_WORDS = {word: number for number, words in enumerate(COUNTED) for word in words}
SHORTEST_PHONE = 6


# "Ana Torres's number", "el número de Ana Torres": a person's full name that something is said to belong to.
_NAME = r"[A-ZÁÉÍÓÚÑ][\w-]+(?:\s+[A-ZÁÉÍÓÚÑ][\w-]+)+"
OWNER = re.compile(rf"(?P<owns>{_NAME})['’]s\b|\bde\s+(?P<of>{_NAME})")


@dataclass(frozen=True)
class Evidence:
    """What was `written` by the customer bounds a change, what was `told` (with results and context) a look-up, and
    what is `known` (with the instructions too) what a reply may state."""

    written: tuple[str, ...]
    told: tuple[str, ...]
    known: tuple[str, ...]
    ids: Mapping[str, tuple[int, ...]]
    last_words: str
    given: tuple[str, ...] = ()  # besides results: the customer's words and the instructions
    rows: tuple[str, ...] = ()
    _cache: dict[str, bool] = field(default_factory=dict)

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(plain(" ".join(self.written)).split())

    def has_number(self, text: str, sources: tuple[str, ...]) -> bool:
        """A number as it was written, as an amount (60 is 60.00), or as the digits of a longer one (a phone)."""
        wanted, amount = digits(text), amount_of(text)
        for source in sources:
            for found in NUMBER.findall(source):
                if digits(found) == wanted or (amount is not None and amount == amount_of(found)):
                    return True
                if len(wanted) >= SHORTEST_PHONE and wanted in digits(found):
                    return True
                if wanted in re.findall(r"\d+", found):
                    return True
        return False

    def has_counted(self, number: float) -> bool:
        return self.has_number(f"{number:g}", self.written) or any(
            NUMBER_WORDS.get(word) == number for word in self.words
        )

    def has_email(self, text: str, sources: tuple[str, ...]) -> bool:
        return any(text.lower() in source.lower() for source in sources)

    def grounded_words(self, text: str, sources: tuple[str, ...]) -> list[str]:
        """The words of `text` that were said, an ending aside (limpieza, limpiezas)."""
        stems = {word[:5] for word in plain(" ".join(sources)).split()}
        return [word for word in text.split() if all(part[:5] in stems for part in plain(word).split() or [""])]

    def states_only_facts(self, sentence: str) -> bool:
        """Whether each number, address and link of a reply's sentence stands somewhere in what is known."""
        rest = sentence
        for pattern in (LINK, EMAIL):
            if not all(self.has_email(found.rstrip(".,;)"), self.known) for found in pattern.findall(rest)):
                return False
            rest = pattern.sub(" ", rest)
        rest = HALF_DAY.sub(lambda found: f"{int(found[1]) % 12 + 12 * (found[3] in 'pP')}{found[2] or ':00'}", rest)
        rest = re.sub(r"^\s*\d{1,2}[.)]\s", " ", rest)  # the number of a list's line
        numbers = NUMBER.findall(rest)
        for owner in OWNER.finditer(sentence):
            name = plain(owner["of"] or owner["owns"]).split()
            texts = [text for text in (*self.given, *self.rows) if set(name) <= set(plain(text).split())]
            # A number of this customer must not be told as somebody else's.
            if not all(self.has_number(number, tuple(texts)) for number in numbers):
                return False
        return all(self.has_number(n, self.known) and self._belongs(n, sentence) for n in numbers)

    def _belongs(self, number: str, sentence: str) -> bool:
        """A number out of a list of rows is told of something that stands in its row: no row's price for another."""
        holding = [row for row in self.rows if self.has_number(number, (row,))]
        if not holding or self.has_number(number, self.given):
            return True
        said = {word[:5] for word in plain(sentence).split() if len(word) > 3}
        return any(said & {word[:5] for word in plain(row).split() if len(word) > 3} for row in holding)


def amount_of(text: str) -> float | None:
    """60, 60.00 and 60,00 are the same; a text with more than one mark is no amount."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None


def gather(transcript: Transcript, now_text: str) -> Evidence:
    """Everything that the assistant itself wrote is left out: it may have been invented."""
    told: list[str] = []
    written = tuple(e.text for e in transcript.entries if isinstance(e, Said) and e.by_customer)
    ids: dict[str, list[int]] = {}
    for entry in transcript.entries:
        if isinstance(entry, Said) and entry.by_customer:
            told.append(entry.text)
        elif isinstance(entry, Returned) and not entry.is_error:
            told.append(entry.text)
            for noun, number in ids_in(entry.value, singular(entry.tool.partition("_")[2])):
                ids.setdefault(noun, []).append(number)
    for noun, text in CONTEXT_ID.findall(f"{transcript.moving}\n{transcript.stable}"):
        ids.setdefault(noun, []).append(int(text))
    told.append(transcript.moving)
    known = (*told, transcript.stable, now_text)
    found = {noun: tuple(dict.fromkeys(numbers)) for noun, numbers in ids.items()}
    given = (*written, transcript.stable, transcript.moving)
    return Evidence(written, tuple(told), known, found, transcript.last_words, given, tuple(_rows(transcript)))


def _rows(transcript: Transcript) -> Iterator[str]:
    """The rows of the lists that tools gave; a list of one leaves no doubt which is meant."""
    for entry in transcript.entries:
        value = entry.value if isinstance(entry, Returned) else None
        rows = value.get("data") if isinstance(value, Mapping) else value
        if isinstance(rows, list) and len(rows) > 1:
            yield from (json.dumps(row, ensure_ascii=False) for row in rows)


def ids_in(value: object, noun: str) -> Iterator[tuple[str, int]]:
    """Each id in a tool's answer with the noun it belongs to: `id` is the tool's own, `contact_id` a contact's."""
    if isinstance(value, list):
        for item in value:
            yield from ids_in(item, noun)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, int) and not isinstance(item, bool) and (key == "id" or str(key).endswith("_id")):
                yield (noun if key == "id" else singular(str(key)[:-3])), item
            else:
                yield from ids_in(item, noun if key in ("data", "rows", "items", "results") else singular(str(key)))
