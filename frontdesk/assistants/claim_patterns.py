"""The forms in which a sentence says that something was done, English and Spanish.

Each pattern has one named group for each kind, so that a match tells which it was. The first person ("I have booked")
is kept apart from the state ("your appointment is booked"), because a state may have been looked up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from frontdesk.assistants.claim_words import (
    BARE,
    ENGLISH,
    INFINITIVE,
    PLURAL,
    PRETERITE,
    REFLEXIVE,
    SPANISH,
    THINGS_ENGLISH,
    THINGS_SPANISH,
    Kind,
)

Words = Mapping[Kind, str]
Patterns = tuple[re.Pattern[str], ...]
DONE = r"[oa]s?\b"  # behind the stem of a Spanish participle


def form(pattern: str, words: Words, ending: str = r"\b") -> re.Pattern[str]:
    """The pattern with VERB replaced by the words, one group for each kind."""
    verbs = "|".join(f"(?P<{kind}>{stems})" for kind, stems in words.items())
    return re.compile(pattern.replace("VERB", f"(?:{verbs}){ending}"), re.IGNORECASE)


def _bare(words: Words) -> Words:
    """Words that make a claim without anybody who did it: "Booked!". "Noted." is a way to say yes."""
    return {kind: verbs for kind, verbs in words.items() if kind not in ("noted", "passed_on", "created", "paid")}


_ADV = (
    r"(?:(?:just|already|now|also|all|both|then|finally|gone ahead and|went ahead and|duly|since|today|too|hereby|"
    r"happily|taken the liberty and|received and|\w+ly)\s+){0,3}"
)
_I_HAVE = rf"\b(?P<who>i|we)(?:'ve|\s+have|\s+did)?\s+{_ADV}"
_A_THING = rf"(?:{THINGS_ENGLISH})"
_ACTS: Words = {
    "booked": "bookings?|reservations?|appointments?|you down", "changed": "changes?|updates?|corrections?",
    "noted": "notes? of|a note", "created": "orders?", "cancelled": "cancellations?", "passed_on": "requests?",
}  # fmt: skip
_COMPLETED: Words = {
    "booked": "booking|reservation", "cancelled": "cancellation", "changed": "change|update", "created": "order",
}  # fmt: skip
OWN_ENGLISH: Patterns = (
    form(f"{_I_HAVE}VERB", ENGLISH),
    form(rf"{_I_HAVE}(?:managed to|been able to|was able to|were able to|got to)\s+VERB", BARE),
    form(rf"{_I_HAVE}(?:finished|completed|taken care of)\s+(?:the|your)?\s*VERB", _COMPLETED),
    form(rf"{_I_HAVE}(?:made|put in|put|done|placed)\s+(?:\w+\s+){{0,3}}?VERB", _ACTS),
    form(rf"{_I_HAVE}let\s+(?:the|our|my|dr|mr|ms|mrs)\b(?:\W+\w+){{1,3}}?\s+VERB", {"passed_on": "know"}),
    form(rf"{_I_HAVE}(?:taken|took)\s+(?:a\s+|due\s+)?VERB", {"noted": "notes?"}),
    # "I was able to" has its verb before the adverbs.
    form(r"\b(?P<who>i|we)\s+(?:was|were)\s+able\s+to\s+VERB", BARE),
)
STATE_ENGLISH: Patterns = (
    form(rf"\b(?:has|have|'s|'ve)\s+{_ADV}been\s+{_ADV}VERB", ENGLISH),
    form(rf"(?:\b(?:was|were|is|are)|'s|'re)\s+{_ADV}VERB", ENGLISH),
    form(
        r"\b(?:you are|you're|it is|it's|is|are)\s+(?:now\s+)?(?:all\s+)?VERB",
        {"booked": "set for|down for|booked in|in for"},
    ),
    form(rf"^(?:your\s+|the\s+)?{_A_THING}\s+{_ADV}VERB(?!\s+by\b)", ENGLISH),
    form(
        r"^(?:(?:all|done|great|perfect|ok|okay|just|successfully|now)[\s,!.]+)*VERB"
        r"(?=\s*$|[.!]|\s+(?:for|you|your|it|to|in|on|at|with|as|the|from)\b)",
        _bare(ENGLISH),
    ),
    form(r"\b(?:is|are)\s+(?:now\s+|already\s+)?on\s+(?:its|their|the)\s+VERB", {"sent": "way"}),
    form(r"\bconsider\s+(?:it|that|this)\s+VERB", ENGLISH),
    form(r"\bgot\s+VERB", ENGLISH),
    form(r"\b(?:has|have)\s+been\s+VERB", {"created": "set"}),
    # "Your phone number is now 555 0009": a value that was changed.
    form(r"\bis\s+VERB(?=\s+\S*[\d@])", {"changed": "now"}),
)

_YA = r"(?:(?:ya|tambi[eé]n|ahora|reci[eé]n|todo|toda|todos|todas|hoy|adem[aá]s|s[ií]|\w+mente)\s+){0,3}"
_CLITIC = r"(?:(?:te|le|les|os|se|lo|la|los|las|me|nos)\s+){0,2}"
_CLITIC_BEHIND = r"(?:te|le|les|lo|la|los|las|se)*\b"
_THE = r"(?:el|la|los|las|tu|tus|su|sus|un|una)?"
_DOES = r"(?:realizad|hech|efectuad)[oa]s?"
_BY_NOUN: Words = {
    "booked": "reservas?|citas?|reservaci[oó]n", "changed": "cambios?|modificaci[oó]n|actualizaci[oó]n",
    "sent": "env[ií]o", "cancelled": "cancelaci[oó]n|anulaci[oó]n", "created": "pedidos?", "noted": "nota",
    "passed_on": "solicitud", "paid": "reembolso|devoluci[oó]n|pago|cobro",
}  # fmt: skip
OWN_SPANISH: Patterns = (
    form(rf"\b(?:he|hemos)\s+{_YA}(?:dejado\s+|logrado\s+)?VERB", SPANISH, DONE),
    form(rf"\b{_YA}{_CLITIC}VERB", PRETERITE),
    form(rf"\bya\s+{_CLITIC}VERB", PLURAL),
    form(
        r"\b(?:acab(?:o|amos) de|(?:he|hemos) (?:podido|logrado|conseguido)|(?:he|hemos) procedido a|procedí a|pude|"
        r"logré|conseguí)\s+VERB",
        INFINITIVE,
        _CLITIC_BEHIND,
    ),
    form(rf"\b(?:te|le|la|lo|les|os)\s+(?:dej[oéó]|dejamos|puse|apunto)\s+{_YA}VERB", SPANISH, DONE),
    form(
        r"\b(?:he|hemos|hice|hicimos|realicé|efectué)\s+(?:hecho|realizado|efectuado|tomado|puesto)?\s*(?:ya\s+)?"
        rf"{_THE}\s*VERB",
        _BY_NOUN,
    ),
    form(r"\b(?:he|hemos|ha|han)\s+dado\s+de\s+VERB", {"created": "alta", "cancelled": "baja"}),
    form(r"\btom(?:é|amos)\s+(?:buena\s+)?VERB", {"noted": "nota"}),
)
STATE_SPANISH: Patterns = (
    form(rf"\bse\s+{_CLITIC}(?:ha|han)\s+{_YA}VERB", SPANISH, DONE),
    form(rf"\b(?:ha|han)\s+(?:sido|quedado)\s+{_YA}VERB", SPANISH, DONE),
    form(rf"\bse\s+{_CLITIC}VERB", REFLEXIVE),
    form(rf"\b(?:fue|fueron)\s+{_YA}VERB", SPANISH, DONE),
    form(
        r"\b(?:est[aá]n?|est[aá]s|quedas?|quedan|qued[oó]|quedaste|quedaron|tienes|tiene)\s+"
        rf"{_YA}(?:(?:el|la|tu|su|una?)\s+(?:{THINGS_SPANISH})\s+)?{_YA}VERB",
        SPANISH,
        DONE,
    ),
    form(rf"^(?:(?:tu|su|la|el)\s+)?(?:{THINGS_SPANISH})\s+{_YA}VERB(?!\s+por\s+(?:el|la)\b)", SPANISH, DONE),
    form(
        r"^(?:(?:ya|todo|listo|perfecto|hecho|ok)[\s,!.]+)*VERB(?=\s*$|[.!]|\s+(?:para|a|en|con|el|la|tu|su)\b)",
        _bare(SPANISH),
        DONE,
    ),
    form(r"\b(?:va|van|est[aá]n?)\s+(?:ya\s+)?de\s+VERB", {"sent": "camino"}),
    form(
        rf"^(?:(?:el|la|tu|su)\s+)?VERB\s+(?:(?:fue|ha sido|est[aá]|queda|qued[oó])\s+)?{_YA}{_DOES}",
        _BY_NOUN,
    ),
    form(
        rf"\bse\s+{_CLITIC}(?:ha\s+(?:realizado|hecho|efectuado)|realizó|hizo|efectuó)\s+{_THE}\s*VERB",
        _BY_NOUN,
    ),
)
# One claim goes on: "I have cancelled the old one and booked a new one".
MORE: Patterns = (
    form(rf"\b(?:and|&)\s+{_ADV}VERB", ENGLISH),
    form(rf"\b(?:y|e)\s+{_YA}VERB", SPANISH, DONE),
)
