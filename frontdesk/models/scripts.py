"""The scripts that come with the product: an echo, the dental demonstration, and a provider's bad days."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from frontdesk.models.scripted import Fail, Say, Script, Step, Use, in_order
from frontdesk.models.transcript import Returned, Transcript

PHONE = re.compile(r"(?:phone|tel[eé]fono|m[oó]vil|number|n[uú]mero)\D*(\+?\d[\d ()-]{4,}\d)", re.IGNORECASE)
PRICE = re.compile(
    r"(?:how much (?:is|are|for)|price of|cu[aá]nto (?:cuesta|vale)|precio de)\s+(.+?)[?.!]*$", re.IGNORECASE
)
NOTE = re.compile(r"(?:note that|anota que)\s+(.+?)[.!]*$", re.IGNORECASE)
OTHERS_PHONE = re.compile(r"(?:[Ww]hat is|[Cc]u[aá]l es)\D*?([A-ZÁÉÍÓÚ]\w+(?: [A-ZÁÉÍÓÚ]\w+)+)")
NAME = re.compile(r'"name": ("[^"]+")')
ARTICLES = frozenset({"a", "an", "the", "un", "una", "el", "la", "los", "las", "de", "del"})


def echo(transcript: Transcript) -> Sequence[Step]:
    return (Say(f"You wrote: {transcript.last_words}"),)


def dental_demo(transcript: Transcript) -> Sequence[Step]:
    """What a good model would do with the demo clinic's tools; anything else gets a greeting."""
    text = transcript.last_words
    if found := PHONE.search(text):
        return _change_phone(transcript, found[1].strip())
    if found := PRICE.search(text):
        return _price(transcript, " ".join(word for word in found[1].split() if word.lower() not in ARTICLES))
    if found := NOTE.search(text):
        return in_order((Use("add_note", {"text": found[1]}),), (Say("I have noted that."),))(transcript)
    if found := OTHERS_PHONE.search(text):
        refusal = Say("I'm sorry, I can't share anybody's details.")
        return in_order((Use("find_contact", {"search": found[1]}),), (refusal,))(transcript)
    return (Say("Hello! I can tell you prices, change your details and take notes. How can I help you?"),)


def _change_phone(transcript: Transcript, phone: str) -> Sequence[Step]:
    name = NAME.search(transcript.moving)
    look_up = Use("find_contact", {"search": json.loads(name[1])}) if name else Use("get_contact", {})
    change = Use("update_contact", {"phone": phone})
    return in_order((look_up,), (change,), (Say(f"Done. Your phone number is now {phone}."),))(transcript)


def _price(transcript: Transcript, search: str) -> Sequence[Step]:
    result = next((e.value for e in reversed(transcript.turn) if isinstance(e, Returned)), None)
    rows = result.get("data") if isinstance(result, Mapping) else None
    told = [f"{row['name']} costs {row.get('price')}." for row in rows or () if isinstance(row, Mapping)]
    answer = " ".join(told) or f"I'm sorry, I found nothing for {search}."
    return in_order((Use("search_products", {"search": search}),), (Say(answer),))(transcript)


def _failing(*steps: Step) -> Script:
    return lambda _: steps


SCRIPTS: dict[str, Script] = {
    "echo": echo,
    "dental-demo": dental_demo,
    "timeout": _failing(Fail("timeout")),
    "rate-limit": _failing(Fail("rate_limit")),
    "overloaded": _failing(Fail("overloaded")),
    "broken-stream": _failing(Say("This answer breaks off in the"), Fail("broken_stream")),
}
