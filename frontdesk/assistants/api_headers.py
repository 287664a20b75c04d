"""The headers of an API tool are secrets: sealed for the endpoint's origin, read as masks, kept by their masks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.vault import is_mask, mask

MOST_HEADERS = 30
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
LONGEST_VALUE = 4_000
# These are the connection's own, or would let one tool speak in the name of another address.
OURS = frozenset(("host", "content-length", "transfer-encoding", "connection", "accept-encoding", "upgrade", "te",
                  "trailer", "keep-alive", "proxy-authorization", "proxy-connection", "expect"))  # fmt: skip
ENTER = "was stored for another address than the endpoint's; enter it again"


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored: masks by name (None: no value yet), what is sealed, and the origin that it is bound to."""

    masks: Mapping[str, str | None]
    sealed: Mapping[str, str]
    origin: str


@dataclass(frozen=True, slots=True)
class Headers:
    """The columns to write, and the names that have no value."""

    masks: dict[str, str | None]
    sealed: dict[str, str]

    @property
    def missing(self) -> list[str]:
        return [name for name, shown in self.masks.items() if shown is None]


def settle_headers(
    sent: Mapping[str, object] | None, stored: Stored | None, origin: str, seal: Callable[[str, str], str]
) -> Headers:
    """What becomes of the headers. `sent` None leaves them as they are. Raises `Invalid` naming each wrong one.

    A mask stands for the value stored under the same name. Where there is no tool yet (a duplicate), a mask is no
    value; where the endpoint has moved to another origin, it is refused: a secret never follows an address.
    """
    faults: list[Fault] = []
    masks: dict[str, str | None] = {}
    sealed: dict[str, str] = {}
    wanted = dict(sent) if sent is not None else dict(stored.masks) if stored else {}
    if len(wanted) > MOST_HEADERS:
        raise Invalid([Fault("headers", "maxProperties", f"must have at most {MOST_HEADERS} headers")])
    known = {name.lower(): name for name in (stored.masks if stored else {})}
    seen: set[str] = set()
    for name, value in wanted.items():
        fault = _name_fault(name, seen) or _value_fault(value)
        old = known.get(name.lower())
        if fault is not None:
            pass
        elif value is None or (stored is None and is_mask(str(value))):
            masks[name] = None
        elif is_mask(str(value)):
            if stored is None or old is None or stored.masks[old] != value or old not in stored.sealed:
                fault = Fault("", "mask", "is a mask of no stored value; enter the value again")
            elif stored.origin != origin:
                fault = Fault("", "origin", ENTER)
            else:
                masks[name], sealed[name] = str(value), stored.sealed[old]
        else:
            masks[name], sealed[name] = mask(str(value)), seal(str(value), origin)
        if fault is not None:
            faults.append(Fault(f"headers.{name[:100]}", fault.keyword, fault.message))
    if faults:
        raise Invalid(faults)
    return Headers(masks, sealed)


def _name_fault(name: str, seen: set[str]) -> Fault | None:
    if not NAME.fullmatch(name):
        return Fault("", "pattern", "must be named as headers are: letters, digits and -")
    if name.lower() in OURS:
        return Fault("", "enum", "is set by the connection itself")
    if name.lower() in seen:
        return Fault("", "uniqueItems", "is named twice")
    seen.add(name.lower())
    return None


def _value_fault(value: object) -> Fault | None:
    if value is None:
        return None
    if not isinstance(value, str):
        return Fault("", "type", "must be a text")
    if is_mask(value):
        return None
    if len(value) > LONGEST_VALUE:
        return Fault("", "maxLength", f"must have at most {LONGEST_VALUE} characters")
    if not VALUE.fullmatch(value):
        return Fault("", "pattern", "must be one line of visible ASCII characters")
    return None
