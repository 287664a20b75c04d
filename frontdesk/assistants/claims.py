"""What a sentence says was done: "I have booked", "your appointment is cancelled", "te he enviado", "ya quedó anotado".

Deterministic, for English and Spanish. Offers, questions, conditions, futures, negations, quotations and news of the
house ("we have changed our opening hours") are no claims. Pure: the same sentence gets the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from frontdesk.assistants.claim_patterns import MORE, OWN_ENGLISH, OWN_SPANISH, STATE_ENGLISH, STATE_SPANISH
from frontdesk.assistants.claim_words import KINDS, THINGS_ENGLISH, THINGS_SPANISH, Kind

LONGEST_SENTENCE = 2_000  # characters that are read; what is longer is no sentence


@dataclass(frozen=True, slots=True)
class Claim:
    """One kind of action that is said to be done. `is_own`: by the one who speaks ("I have"), and no mere state."""

    kind: Kind
    is_own: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A place that reads like a claim, with what stands around it in its part of the sentence."""

    before: str
    said: str
    after: str
    kind: Kind
    who: str | None  # I or we, in English
    is_own: bool
    is_spanish: bool

    @property
    def part(self) -> str:
        return self.before + self.said + self.after


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|«[^»]*»|`[^`]*`|(?<!\w)'[^']+'(?!\w)")
_MARKS = re.compile(r"[*_~#>¡]+|^\s*(?:[-•·]|\d+[.)])\s+", re.MULTILINE)
_ASKED = re.compile(r"¿[^?]*(?:\?|$)")
_OPENS_QUESTION = _any(
    r"^\s*(?:(?:and|so|but|or|y|o|pero|ok|okay)[\s,]+)?(?:have|has|had|did|do|does|would|will|shall|should|can|could|may"
    r"|is|are|was|were|what|when|where|which|who|why|how|qué|cuándo|cuál|dónde|quién|cómo)\b"
)
_PARTS = _any(r"[,;:()–—]+|\s-\s|\.\s|!\s*|\b(?:but|pero|aunque|although|though)\b", r"\bso\b(?! that)")
# Before a claim, in its own part of the sentence: what makes it none.
_NOT = _any(
    r"\b(?:not|no|never|nothing|none|nobody|neither|nor|without|unable|cannot)\b|n't\b",
    r"\b(?:nada|nadie|nunca|tampoco|sin|ning[uú]n[ao]?)\b",
    r"\b(?:if|once|when|whenever|unless|until|till|after|before|as soon as|whether|in case|by the time|provided)\b",
    r"\b(?:assuming|every time|as if|si|cuando|una vez|hasta que|en cuanto|despu[eé]s de|antes de|para que)\b",
    r"\b(?:en caso de|siempre que|cada vez|tan pronto|mientras)\b",
    r"\b(?:will|would|should|could|may|might|must|can|shall|'ll|to|seems?|appears?|wish|like|want|need|expect|hope)\s*$",
    r"\b(?:puede|pueden|podr[ií]an?|deber[ií]an?|habr[ií]?an?|parece|debe|deben|ojal[aá]|quisiera|espero)\s*$",
    r"\byou\s+(?:said|say|mention|mentioned|wrote|told|indicated|state|stated|asked)\b",
    r"\b(?:dices|dijiste|mencionas|mencionaste|comentas|comentaste|indicas|indicaste|escribiste|me cuentas|seg[uú]n)\b",
    r"\b(?:according to|supposedly|someone|somebody)\b",
)
_MODAL = _any(r"(?:\b(?:will|would|should|could|may|might|must|can|shall|to|how|what)|'ll|n't|'d)\s*$")
_REGRET = _any(r"\b(?:sorry|understand|hear|lamento|siento|entiendo|comprendo|glad|happy|alegra)\b")
_ASKED_TO_LOOK = _any(
    r"(?:^|\bplease\s|\bcan\s|\bto\s)\s*(?:check|see|verify)\s",
    r"(?:^|\bplease\s)\s*confirm\s",
    r"^\s*confirma\s|\bcomprueb[ae]\b|\bverifi(?:ca|que)\b",
)
_BY_OTHERS = _any(
    r"^\s*(?:\w+\s+){0,2}?by (?!me\b|us\b|e-?mail|mail|phone|sms|text|whatsapp|post|message|then|now|the way)\w+",
    r"^\s*(?:\w+\s+){0,2}?por (?:el|la|los|las|tu|su|nuestr\w+|una?|ti|usted|otr\w+) (?!reclam|quej|cas[oa]|solicitud"
    r"|mañana|tarde|noche|momento"
    r"|correo|whatsapp|mail|m[oó]vil|tel[eé]fono|web|lunes|martes|mi[eé]rcoles|jueves|viernes|s[aá]bado|domingo)",
)
_GENERAL = _any(
    r"\b(?:each|every|always|usually|normally|automatically|within|once|when|daily|weekly|monthly|fully|encrypted)\b",
    r"\b(?:securely|since|cada|siempre|normalmente|autom[aá]ticamente|cuando|una vez|completo|llen[oa])\b",
    r"\d+\s*(?:hours|days|horas|d[ií]as)",
)
_HOUSE = _any(r"\b(?:our|ours|nuestr[oa]s?)\b")
_TO_YOU = _any(r"\b(?:your|yours|you|me|tu|tus|su|sus|te|le|usted|ti)\b")
_THINGS = _any(rf"\b(?:{THINGS_ENGLISH}|{THINGS_SPANISH})\b")
_POINTING = _any(r"\b(?:it|this|that|them|everything|these|those|my|les|lo|todo)\b")
_ONLY_ADVERBS = _any(r"^\W*(?:(?:ya|todo|tambi[eé]n|s[ií]|listo|yes|and|y|now|already|that)\b\W*)*$")
_SHOWN_HERE = _any(r"\b(?:below|above|here|following|abajo|a continuaci[oó]n|aqu[ií]|siguiente|in this message)\b")
_NOW = _any(r"\b(?:now|already|all|just|successfully|ya|ahora|correctamente|listo)\b|qued|\bway\b|\bcamino\b")
_IS = _any(r"^(?:is|are|est[aá]|'s|'re|tiene|qued)")
_PLURAL = _any(r"^\s*\w+s\s*$")  # "appointments are confirmed by mail": how it goes in general
_STATES_AS_SUCH = ("booked", "cancelled")  # "is booked" tells of an act; "is stored", "is sent" tell how things are
_OPENED = _any(r"opened$|abiert[oa]s?$")
_CAN_BE_OPENED = _any(r"\bit\b|\b(?:ticket|case|request|claim|account|incident|caso|incidencia|solicitud|cuenta)")
_MOVED_HOUSE = _any(r"^\s*to\s+(?:a|an|the|new|our)\b")
_YOU = _any(r"^\s+(?:to\s+)?you\b")
_TE = _any(r"\b(?:te|le|les)\s+(?:he\s+|hemos\s+)?(?:inform|avis|notific|comuni)\w+$")
_THAT = _any(r"^\s+(?:that|que|with|con)\b")
_YOURS = _any(r"\b(?:your|tu|tus|te|su)\b")


def claims_in(sentence: str) -> tuple[Claim, ...]:
    """The claims of one sentence, each once."""
    straight = sentence[:LONGEST_SENTENCE].replace("’", "'").replace("‘", "'")
    plain = _MARKS.sub(" ", _QUOTED.sub(" … ", straight))
    claims = (claim for part in _stated(plain) for claim in _claims_of(part.strip()))
    return tuple(dict.fromkeys(claims))


def _stated(sentence: str) -> list[str]:
    """The parts that state something; what is asked is left out."""
    text = _ASKED.sub(" , ", sentence).strip()
    if not text.rstrip(" \"')").endswith("?"):
        return _PARTS.split(text)
    if _OPENS_QUESTION.match(text):
        return []
    # "I have booked it, anything else?": the last part asks.
    return _PARTS.split(text)[:-1]


def _claims_of(part: str) -> Iterator[Claim]:
    for is_own, english, spanish in ((True, OWN_ENGLISH, OWN_SPANISH), (False, STATE_ENGLISH, STATE_SPANISH)):
        for is_spanish, patterns in ((False, english), (True, spanish)):
            for pattern in patterns:
                for match in pattern.finditer(part):
                    found = _found(part, match, is_own=is_own, is_spanish=is_spanish)
                    if _holds(found):
                        yield Claim(found.kind, is_own)
                        yield from (Claim(_kind(more), is_own) for p in MORE for more in p.finditer(found.after))


def _found(part: str, match: re.Match[str], *, is_own: bool, is_spanish: bool) -> Found:
    before, after = part[: match.start()], part[match.end() :]
    return Found(before, match.group(0), after, _kind(match), match.groupdict().get("who"), is_own, is_spanish)


def _kind(match: re.Match[str]) -> Kind:
    given = match.groupdict()
    return next(kind for kind in KINDS if given.get(kind) is not None)


def _holds(found: Found) -> bool:
    """Whether what was found says that it has happened, and to this customer."""
    if _NOT.search(found.before) or (not found.is_spanish and _MODAL.search(found.before)):
        return False
    if _is_other_meaning(found):
        return False
    return _is_own_act(found) if found.is_own else _is_state(found)


def _is_own_act(found: Found) -> bool:
    if found.is_spanish:
        return not _is_news(found)
    if found.who is not None and found.who.lower() == "i":
        return True
    # "We have sent you" is a claim, "we have changed our hours" and "we have moved to" are news.
    is_about = any(words.search(found.after) for words in (_TO_YOU, _THINGS, _POINTING))
    return is_about and not _HOUSE.search(found.after[:30]) and not _MOVED_HOUSE.match(found.after)


def _is_state(found: Found) -> bool:
    if _REGRET.search(found.before) or _BY_OTHERS.match(found.after) or _ASKED_TO_LOOK.search(found.before):
        return False
    if _IS.match(found.said) and "been" not in found.said:
        if _PLURAL.search(found.before):
            return False
        is_act = found.kind in _STATES_AS_SUCH or _NOW.search(found.part)
        if _GENERAL.search(found.part) or not is_act:
            return False
    if _is_news(found):
        return False
    if any(words.search(found.before) for words in (_TO_YOU, _THINGS, _POINTING, _ONLY_ADVERBS)):
        return True
    # "Se ha enviado la confirmación": in Spanish what it is about may follow.
    return bool(_TO_YOU.search(found.after)) or (found.is_spanish and bool(_THINGS.search(found.after)))


def _is_other_meaning(found: Found) -> bool:
    if _OPENED.search(found.said) and not _CAN_BE_OPENED.search(found.before + found.after):
        return True
    if found.kind == "passed_on":  # "I have informed you"
        return bool(_YOU.match(found.after) or _TE.search(found.before + found.said))
    if found.kind == "booked" and "confirm" in found.said.lower():
        return bool(_THAT.match(found.after))  # it was looked up
    return found.kind in ("created", "noted", "sent") and bool(_SHOWN_HERE.search(found.after))


def _is_news(found: Found) -> bool:
    """News of the house: "se ha cambiado nuestro horario"."""
    is_of_house = _HOUSE.search(found.before + found.after[:40])
    return bool(is_of_house) and not _YOURS.search(found.before + found.after)
