"""Calls to other systems: no transaction is open while the other side is waited for.

A tool gives a `Remote` instead of a result. What has to be decided is decided and committed first (allowed, limits,
effects, and for a change the intent); then the call goes out; then its outcome is committed. A change is made at most
once: an intent without an outcome is unknown, unless the other side takes a key that makes a repetition harmless.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from frontdesk.core.errors import Json
from frontdesk.core.storable import storable
from frontdesk.runtime.tooling import CallRecord, CallStatus, StoredCall, ToolDeps

from .failures import BROKEN, UNKNOWN

log = structlog.get_logger(__name__)
KEY = "idempotency_key"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call to another system ended; `result` is what the model is given."""

    result: Json
    status: CallStatus = "done"


@dataclass(frozen=True, slots=True)
class Remote:
    """A call that is ready to go out. `send` gets the idempotency key, if the other side takes one."""

    send: Callable[[str | None], Awaitable[Outcome]]
    is_change: bool
    takes_key: bool = False


def begun(remote: Remote, before: StoredCall | None) -> Json:
    """What the step row of an intent holds: the key, and the same one where the call is repeated after a crash."""
    if not (remote.takes_key and remote.is_change):
        return None
    known = before.result if before is not None and is_repeatable(before) else None
    return known if known is not None else {KEY: uuid.uuid4().hex}


def is_repeatable(stored: StoredCall) -> bool:
    """An intent whose call carries a key: the other side knows whether it has done it."""
    return stored.status == "intent" and isinstance(stored.result, dict) and KEY in stored.result


async def carried_out(deps: ToolDeps, remote: Remote, intent: CallRecord) -> CallRecord:
    """Send the call and commit its outcome. A change that has gone out is waited for, whoever stops the turn."""
    work = asyncio.ensure_future(_carry_out(deps, remote, intent))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        if not remote.is_change:
            work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        raise


async def _carry_out(deps: ToolDeps, remote: Remote, intent: CallRecord) -> CallRecord:
    started = deps.clock.monotonic()
    key = str(intent.result[KEY]) if isinstance(intent.result, dict) else None
    try:
        outcome = await remote.send(key)
    except Exception:
        log.exception("tool failed", tool=intent.tool_name, turn=deps.turn.turn_id)
        outcome = Outcome(UNKNOWN, "unknown") if remote.is_change else Outcome(BROKEN, "failed")
    took = intent.duration_ms + round((deps.clock.monotonic() - started) * 1000)
    record = replace(intent, status=outcome.status, result=storable(outcome.result), duration_ms=took)
    await deps.turn.record_outcome(record)
    return record
