"""Rule 16 of a turn: a reply that says something was done needs a tool result that did it. Pure functions.

What a tool can have done is told by its key; a tool of somebody else's (API, MCP, automations) that changes something
can have done anything. An earlier call of the episode counts where the reply does not claim something new by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from frontdesk.assistants.assistant_handoff_config import TRANSFER_TO_ASSISTANT
from frontdesk.assistants.claim_words import ENGLISH, KINDS, SPANISH, Kind
from frontdesk.assistants.claims import Claim, claims_in
from frontdesk.assistants.handoff_config import TRANSFER_TO_HUMAN
from frontdesk.assistants.image_sending import SEND_IMAGE
from frontdesk.assistants.tool_keys import TOOL_KEYS
from frontdesk.runtime.sentence import ends

ALL = frozenset(KINDS)
OF_VERB: dict[str, frozenset[Kind]] = {
    "create": frozenset(("created", "noted", "changed")),
    "update": frozenset(("changed", "noted")),
    "send": frozenset(("sent", "passed_on")),
    "run": ALL,
}
# Keys that can have done more than their verb says.
MORE: dict[str, frozenset[Kind]] = {
    "create_reservation": frozenset(("booked",)), "create_activity": frozenset(("booked", "passed_on")),
    "update_reservation": frozenset(("booked", "cancelled")), "update_activity": frozenset(("booked", "cancelled")),
    "update_deal": frozenset(("cancelled",)), "update_project_task": frozenset(("cancelled", "passed_on")),
    "add_note": frozenset(("passed_on",)), "update_note": frozenset(("deleted",)),
    "create_project_task": frozenset(("passed_on",)), "assign_task_user": frozenset(("passed_on",)),
    "create_deal": frozenset(("passed_on",)), "subscribe_to_series": frozenset(("booked",)),
    "unsubscribe_from_series": frozenset(("cancelled", "deleted")),
}  # fmt: skip
OF_OURS: dict[str, frozenset[Kind]] = {
    SEND_IMAGE: frozenset(("sent",)),
    TRANSFER_TO_HUMAN: frozenset(("passed_on",)),
    TRANSFER_TO_ASSISTANT: frozenset(("passed_on",)),
}
# States that may have been looked up: an order that was shipped, an appointment that is confirmed.
LOOKED_UP: frozenset[Kind] = frozenset(("booked", "sent", "cancelled", "paid", "created", "passed_on"))
_STATES = {kind: re.compile(rf"\b(?:{ENGLISH[kind]}|(?:{SPANISH[kind]})[oa]s?)\b", re.IGNORECASE) for kind in LOOKED_UP}
_BOOKINGS = re.compile(r"reserv|appoint|book|cita|turno|agenda|calendar|activit|pedido|order", re.IGNORECASE)
_OFFERS = re.compile(r"slot|avail|service|hueco|disponib", re.IGNORECASE)
_EARLIER = re.compile(
    r"\b(?:already|earlier|before|previously|yes|as mentioned|as I said|last time|yesterday|antes|anteriormente|s[ií]|"
    r"ayer|como te dije|como te coment[eé])\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\+?\d[\d ().-]*\d")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")
_NAME = re.compile(r"(?<=[^\s.!?¿¡:])\s+([A-ZÁÉÍÓÚÑ][\wáéíóúñü-]{2,})")
_CALENDAR = frozenset((
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february", "march",
    "april", "may", "june", "july", "august", "september", "october", "november", "december",
))  # fmt: skip
LEAST_WORDS = 4
_POINTS_BACK = re.compile(
    r"(?:it|this|that|they|he|she|so|then|also|therefore|esto|esta|este|eso|ella|él|así|entonces|también|además|lo|"
    r"por eso|con esto)\b",
    re.IGNORECASE,
)
_FORMULA = re.compile(
    r"anything else|see you|thank|you're welcome|have a (?:nice|great|good)|let me know|glad to|happy to|hello|"
    r"good (?:day|morning|afternoon|evening)|contact us|looking forward|algo más|gracias|hasta (?:luego|pronto|el)|"
    r"te esperamos|le esperamos|nos vemos|un placer|de nada|saludos|buen(?:os)? d[ií]a|buenas|avísame|no dudes|"
    r"estoy aquí",
    re.IGNORECASE,
)
LEAST_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Receipt:
    """A call that worked. `said` are its arguments and its result as text."""

    tool: str
    is_change: bool
    is_of_turn: bool
    said: str = ""

    @property
    def kinds(self) -> frozenset[Kind]:
        """What the call can have done."""
        if self.tool in OF_OURS:
            return OF_OURS[self.tool]
        key = TOOL_KEYS.get(self.tool)
        if key is None:
            return ALL if self.is_change else frozenset()
        return OF_VERB.get(key.verb, frozenset()) | MORE.get(key.key, frozenset())


@dataclass(frozen=True, slots=True)
class Evidence:
    """The calls of the episode, what the team wrote in it, and what the customer asks now."""

    receipts: Sequence[Receipt] = ()
    team: Sequence[str] = ()
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A sentence that claims what nothing did; `kinds` is empty where a model found it."""

    sentence: str
    start: int
    end: int
    kinds: tuple[Kind, ...] = field(default=())


def sentences_of(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of each sentence; a line ends one too."""
    start = 0
    for line in text.splitlines(keepends=True):
        begin = start
        for end, after in ends(line):
            yield begin, start + end
            begin = start + after
        if line[begin - start :].strip():
            yield begin, start + len(line.rstrip())
        start += len(line)


def has_claims(text: str) -> bool:
    return any(claims_in(text[start:end]) for start, end in sentences_of(text))


def doubts(text: str, evidence: Evidence) -> list[Doubt]:
    """The sentences that claim what nothing did."""
    found: list[Doubt] = []
    for start, end in sentences_of(text):
        sentence = text[start:end]
        kinds = tuple(dict.fromkeys(c.kind for c in claims_in(sentence) if not is_backed(sentence, c, evidence)))
        if kinds:
            found.append(Doubt(sentence, start, end, kinds))
    return found


def is_backed(sentence: str, claim: Claim, evidence: Evidence) -> bool:
    did = [receipt for receipt in evidence.receipts if claim.kind in receipt.kinds]
    if any(receipt.is_of_turn for receipt in did):
        return True
    if did and _is_named(sentence, claim, evidence, " ".join(receipt.said for receipt in did)):
        return True
    return not claim.is_own and (_was_looked_up(claim.kind, evidence) or _was_told(claim.kind, evidence))


def _is_named(sentence: str, claim: Claim, evidence: Evidence, done: str) -> bool:
    """Whether an earlier call is meant, and not what the customer asks for now."""
    told = _values(sentence)
    known = {value for value in told if value in _flat(done)}
    if any(value in _flat(evidence.asked) for value in told - known):
        return False
    # "I have changed it" of a turn that did nothing is about what was asked just now, unless it says otherwise.
    return not claim.is_own or bool(known) or _EARLIER.search(sentence) is not None


def _values(sentence: str) -> set[str]:
    """Numbers, addresses and names in a sentence: what tells one change from another."""
    mails = {mail.lower() for mail in _MAIL.findall(sentence)}
    digits = {re.sub(r"\D", "", number) for number in _NUMBER.findall(sentence)}
    names = {name.lower() for name in _NAME.findall(sentence)} - _CALENDAR
    return mails | {number for number in digits if len(number) >= LEAST_DIGITS} | names


def _flat(text: str) -> str:
    """Small letters, and beside them the digits of each number without what parts them."""
    return " ".join([text.lower(), *(re.sub(r"\D", "", number) for number in _NUMBER.findall(text))])


def _was_looked_up(kind: Kind, evidence: Evidence) -> bool:
    if kind not in LOOKED_UP:
        return False
    for receipt in evidence.receipts:
        if receipt.is_change:
            continue
        is_booking = kind == "booked" and _BOOKINGS.search(receipt.tool) and not _OFFERS.search(receipt.tool)
        if _STATES[kind].search(receipt.said) or (is_booking and not _is_empty(receipt.said)):
            return True
    return False


def _is_empty(said: str) -> bool:
    return '"data": []' in said or '"total": 0' in said or said.strip() in ("", "null", "[]", "{}")


def _was_told(kind: Kind, evidence: Evidence) -> bool:
    """A person of the team wrote it."""
    return any(
        claim.kind == kind
        for text in evidence.team
        for start, end in sentences_of(text)
        for claim in claims_in(text[start:end])
    )


def without(text: str, found: Sequence[Doubt], honest: str) -> str | None:
    """The reply with the first of these sentences made honest and the others cut; None where nothing else is left.

    What is left stands by itself where it tells something: not only a greeting, and nothing about what was cut.
    """
    spans = [(doubt.start, doubt.end) for doubt in found]
    stands, follows_cut = False, False
    for start, end in sentences_of(text):
        if any(start < b and a < end for a, b in spans):
            follows_cut = True
            continue
        sentence = text[start:end].strip(" *_-•\n")
        if follows_cut and _POINTS_BACK.match(sentence):
            return None
        follows_cut = False
        stands = stands or (len(sentence.split()) >= LEAST_WORDS and not _FORMULA.search(sentence))
    if not stands:
        return None
    pieces, at = list[str](), 0
    for i, (start, end) in enumerate(spans):
        pieces += [text[at:start], "" if i else honest]
        at = end
    whole = "".join((*pieces, text[at:]))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"(?<=\S) {2,}", " ", whole)).strip()
