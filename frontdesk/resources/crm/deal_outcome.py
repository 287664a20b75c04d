"""Whether a deal is open, won or lost, and the members that say so: they always agree with each other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Plain

# What belongs to a status; a change of the status empties what belongs to the others.
BELONGS = {"won_date": "won", "lost_date": "lost", "lost_reason": "lost"}
DATES = {"won": "won_date", "lost": "lost_date"}
OUTCOME = ("status", *BELONGS)


def outcome(given: Mapping[str, Plain], stored: str, now: datetime) -> dict[str, Plain]:
    """The members to write, when `given` changes a deal whose status was `stored`.

    A status sets its date, to now unless one is given; without a status, a date sets it, and an emptied date opens the
    deal again.
    Raises `Invalid` that names the member which contradicts the status.
    """
    status = _status(given, stored)
    faults = [
        Fault(name, "status", f"belongs to a deal that is {owner}, and this one is {status}")
        for name, owner in BELONGS.items()
        if given.get(name) is not None and status != owner
    ]
    date = DATES.get(status, "")
    if status == stored and date in given and given[date] is None:
        faults.append(Fault(date, "status", f"must not be empty while the deal is {status}"))
    if faults:
        raise Invalid(faults)
    written: dict[str, Plain] = {**given, "status": status}
    if status == stored:
        return written
    written |= {name: given.get(name) if owner == status else None for name, owner in BELONGS.items()}
    if date and written[date] is None:
        written[date] = now
    return written


def _status(given: Mapping[str, Plain], stored: str) -> str:
    if given.get("status") is not None:
        return str(given["status"])
    for status, date in DATES.items():
        if given.get(date) is not None:
            return status
    emptied = stored in DATES and DATES[stored] in given
    return "open" if emptied else stored
