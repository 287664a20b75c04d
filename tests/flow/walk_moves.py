"""What a walk is made of: steps, what the model does in each request, and the settings that are switched on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from frontdesk.core.errors import Json

LEASE = 10  # seconds, a little more than a lease
DAY = 24 * 3600 + 1  # what waits for a person is given up after it; a turn may wait once for each of its calls
MEND = (1, LEASE, 60, 120, 600, *[DAY, LEASE] * 4, 60, 3600, 60)  # seconds until what was broken has been mended
CLOSED = "We are closed."
ONCE_PER_HOURS = 2
_AWAY: Json = {"action": "message", "message": CLOSED, "once_per_hours": ONCE_PER_HOURS}
SHUT: Json = {
    "enabled": True, "weekly": [{"days": ["sun"], "from": "03:00", "to": "03:01"}], "out_of_schedule": _AWAY,
}  # fmt: skip
# A walk begins on a Monday at noon, so that it goes over the edge.
EDGE: Json = {
    "enabled": True, "weekly": [{"days": ["mon"], "from": "11:00", "to": "12:31"}], "out_of_schedule": _AWAY,
}  # fmt: skip
FOLLOW_UPS: Json = {"enabled": True, "max_per_conversation": 2, "rules": [
    {"id": "soon", "after_minutes": 30, "mode": "fixed", "message": "Are you still there?"},
    {"id": "later", "after_minutes": 60, "mode": "ai", "instructions": "Ask kindly."},
]}  # fmt: skip
ALWAYS: Json = {"enabled": True, "approval": "always"}
LONG: Json = {"summary": {"enabled": True, "after_messages": 4}}
CLAIM = "I have booked your visit."
MAX_HOPS = 2


@dataclass(frozen=True)
class Move:
    """What the model does in one request; somebody else acts while it thinks, or while another system is called."""

    reply: str = "say"
    meanwhile: str = ""
    during: str = ""


@dataclass(frozen=True)
class Step:
    """One step of a walk; `crash` is after how many uses of the database the worker dies while it follows."""

    act: str = "inbound"
    moves: tuple[Move, ...] = ()
    crash: int | None = None
    send: str = ""  # what the provider does with the next part
    seconds: int = 0


@dataclass(frozen=True)
class Beginning:
    """Where a walk takes place, whether its provider takes keys, and what is switched on."""

    place: str = "sms"
    takes_keys: bool = True
    settings: tuple[str, ...] = ()


def is_open(schedule: str, moment: datetime) -> bool:
    """The schedules above, told anew: not by the code that is walked through."""
    if schedule == "shut":
        return moment.weekday() == 6 and time(3, 0) <= moment.time() < time(3, 1)
    return schedule == "open" or (moment.weekday() == 0 and time(11, 0) <= moment.time() < time(12, 31))
