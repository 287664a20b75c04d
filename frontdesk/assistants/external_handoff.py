"""`external_handoff_targets`: telephone numbers and SIP addresses to which a voice assistant may pass a call on."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from frontdesk.assistants.automations import Guidance
from frontdesk.assistants.section import Section, clean

MOST_TARGETS = 50
# ITU-T E.164: a plus sign, the country's code, 15 digits at most. Which numbers are assigned is the carrier's to know.
E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
# RFC 3261, the forms that telephone systems use: user, host or address, port, parameters such as `transport=tls`.
SIP = re.compile(
    r"sips?:[A-Za-z0-9._~!$&*+=/?'()%-]{1,64}@(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::\d{1,5})?(?:;[A-Za-z0-9._~!*'()%-]{1,50}(?:=[A-Za-z0-9._~!*'()%:-]{1,100})?){0,10}",
    re.ASCII,
)


def check_number(text: str) -> str:
    """Raises `ValueError` for what is not in the international form."""
    if not E164.fullmatch(text):
        raise ValueError("must be a telephone number in the international form, such as +15550100")
    return text


def _reachable(text: str) -> str:
    if not E164.fullmatch(text) and not SIP.fullmatch(text):
        raise ValueError("must be a number such as +15550100 or an address such as sip:sales@example.com")
    return text


def _id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise ValueError("must be made of letters, digits, - and _")
    return text


Number = Annotated[str, StringConstraints(max_length=16), AfterValidator(check_number)]
Place = Annotated[str, StringConstraints(min_length=1, max_length=400), AfterValidator(_reachable)]


class ExternalTarget(Section):
    """`cold` passes the call on at once; `warm` speaks with the other side first. `when` is read by the model."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_id)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(clean)]
    to: Place
    when: Guidance = ""
    mode: Literal["cold", "warm"] = "cold"


def _ids_once(targets: list[ExternalTarget]) -> list[ExternalTarget]:
    ids = [target.id for target in targets]
    for id in ids:
        if ids.count(id) > 1:
            raise ValueError(f"must have a different id for each target; {id} stands {ids.count(id)} times")
    return targets


class ExternalHandoffTargets(Section):
    """A place that is not listed is never called."""

    targets: Annotated[list[ExternalTarget], Field(max_length=MOST_TARGETS), AfterValidator(_ids_once)] = Field(
        default_factory=list
    )
