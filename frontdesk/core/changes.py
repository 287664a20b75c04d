"""What a write changes: a client may send back a record as it was read, and means only what differs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from .door import Call
from .errors import Json
from .fields import Plain


def changed(call: Call, names: Iterable[str]) -> dict[str, Plain]:
    """Those of `names` to which the body gives another value than the stored one; of a new row, all that it gives."""
    before = call.before or {}
    return {
        name: call.data[name]
        for name in names
        if name in call.data and not (call.before is not None and _is_same(before.get(name), call.data[name]))
    }


def _is_same(stored: Json, given: Plain) -> bool:
    if stored is None or given is None:
        return stored is given
    if isinstance(given, Decimal):
        return Decimal(str(stored)) == given
    if isinstance(given, datetime):
        return _milliseconds(datetime.fromisoformat(str(stored))) == _milliseconds(given)
    return stored == given


def _milliseconds(moment: datetime) -> datetime:
    """Records show moments to the millisecond."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
