"""The key of a voice provider: sealed for that provider, read as a mask with a reference, kept by either.

The sealed value stands in a column beside the section, so that the section, its history and its exports never hold it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from frontdesk.assistants.section import read
from frontdesk.assistants.voice_config import VoiceConfig
from frontdesk.core.errors import Fault, Invalid, Json
from frontdesk.core.vault import is_mask, mask

FIELD, SEALED = "telnyx_ai_assistant_config", "voice_key_sealed"
KEY, REF, STATUS = "voice_api_key", "voice_api_key_ref", "sync_status"
AT = f"{FIELD}.{KEY}"
Section = Mapping[str, Json]
Seal = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class VoiceChange:
    """The columns to write (none: the section was not sent), and whether a key was named that is not there."""

    columns: dict[str, Json] = field(default_factory=dict)
    is_missing: bool = False


def origin_of(section: Section) -> str:
    """What the key is bound to. A provider is no address; with another one the key does not open all the same."""
    return f"voice-provider:{section.get('voice_provider') or ''}"


def settle_voice(
    sent: Section | None, stored: Section | None, sealed: Json, seal: Seal, *, is_new: bool
) -> VoiceChange:
    """What becomes of a section that was sent. Raises `Invalid` for a mask or a reference that stands for nothing."""
    if sent is None:
        return VoiceChange({FIELD: None, SEALED: None})
    # As read, so that a provider in capitals is the same provider.
    config = read(VoiceConfig, dict(sent), FIELD)
    shown = cast("dict[str, Json]", config.model_dump(mode="json", exclude_unset=True))
    _settle_status(shown, stored or {}, is_new=is_new)
    given, ref, before = config.voice_api_key, config.voice_api_key_ref, stored or {}
    if given is not None and not is_mask(given):
        shown |= {KEY: mask(given), REF: f"voice-key-{uuid.uuid4().hex[:12]}"}
        return VoiceChange({FIELD: shown, SEALED: seal(given, origin_of(shown))})
    is_named = given is not None or (ref is not None and KEY not in config.model_fields_set)
    if is_named and not is_new:
        _check_kept(given, ref, shown, before, sealed)
        shown |= {KEY: before[KEY], REF: before[REF]}
        return VoiceChange({FIELD: shown, SEALED: sealed})
    # A duplicate names the key of another assistant; keys are not copied.
    for name in {KEY, REF} & shown.keys():
        shown[name] = None
    return VoiceChange({FIELD: shown, SEALED: None}, is_missing=is_named)


def _settle_status(shown: dict[str, Json], before: Section, *, is_new: bool) -> None:
    """Only `pending` is a client's to say. What was read is taken back; a new assistant has nothing in step yet."""
    status = shown.get(STATUS)
    if status in (None, "pending") or status == before.get(STATUS):
        return
    if not is_new:
        raise Invalid([Fault(f"{FIELD}.{STATUS}", "enum", "must be pending: the other states are set by the server")])
    shown[STATUS] = "pending"


def _check_kept(given: str | None, ref: str | None, shown: Section, before: Section, sealed: Json) -> None:
    path = AT if given is not None else f"{FIELD}.{REF}"
    is_known = sealed is not None and (given is None or given == before.get(KEY)) and ref in (None, before.get(REF))
    if not is_known:
        raise Invalid([Fault(path, "mask", "stands for no stored key; enter the key again")])
    if origin_of(before) != origin_of(shown):
        raise Invalid([Fault(path, "keyOrigin", "was stored for another voice provider; enter it again")])


def restored_voice(then: Section | None, now: Section | None) -> tuple[dict[str, Json] | None, bool]:
    """An older section with the key of today, and whether the key of then is not there any more."""
    if then is None:
        return None, False
    current, shown = now or {}, dict(then)
    is_kept = current.get(KEY) is not None and origin_of(current) == origin_of(then)
    had_key = then.get(KEY) is not None
    if is_kept:
        shown |= {KEY: current[KEY], REF: current[REF]}
    else:
        shown = {name: value for name, value in shown.items() if name not in (KEY, REF)}
    # What the server said of then is not true of now: what comes back has to be brought in step again.
    if shown.get(STATUS) not in (None, current.get(STATUS)):
        shown[STATUS] = "pending"
    return shown, had_key and not is_kept
