"""Voice settings when an assistant is saved or restored: the provider's key sealed, the acting user looked up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from frontdesk.assistants.voice_key import AT, FIELD, SEALED, Section, VoiceChange, restored_voice, settle_voice
from frontdesk.core.door import Call
from frontdesk.core.errors import Json

ACTING = "acting_user_id"
IS_MEMBER = "SELECT 1 FROM members WHERE organization_id = $1 AND user_id = $2 AND deleted_at IS NULL"
_STORED = "SELECT telnyx_ai_assistant_config::text FROM ai_assistants WHERE organization_id = $1 AND id = $2"


def settle(call: Call, sent: Mapping[str, Json], before: Mapping[str, Json] | None) -> VoiceChange:
    """What a sent section becomes. Raises `Invalid` with the path of each wrong member."""
    if FIELD not in sent:
        return VoiceChange()
    stored, sealed = (before[FIELD], before[SEALED]) if before is not None else (None, None)
    return settle_voice(
        cast("Section | None", sent[FIELD]), cast("Section | None", stored), sealed, call.door.vault.seal,
        is_new=before is None,
    )  # fmt: skip


async def voice_record_warnings(call: Call, change: VoiceChange, acting_user_id: Json) -> list[Json]:
    """What only the database knows of the voice settings and does not work as it stands."""
    found: list[Json] = []
    if change.is_missing:
        found.append(_warning(AT, "secret_missing", "No key of the voice provider is stored; enter it to use it."))
    if acting_user_id is not None and not await _is_member(call, acting_user_id):
        message = "This user has left the organization; calls write in the name of the assistant's creator instead."
        found.append(_warning(ACTING, "acting_user_gone", message))
    return found


async def restored_settings(call: Call, assistant_id: int, snapshot: Mapping[str, Json]) -> VoiceChange:
    """The voice of an older version with the key of today, and its acting user where that is still a member."""
    text = await call.connection.fetchval(_STORED, call.organization_id, assistant_id)
    now = cast("Section | None", json.loads(text) if text else None)
    shown, is_dropped = restored_voice(cast("Section | None", snapshot.get(FIELD)), now)
    user_id = snapshot.get(ACTING)
    is_gone = user_id is not None and not await _is_member(call, user_id)
    return VoiceChange({FIELD: shown, ACTING: None if is_gone else user_id}, is_dropped)


def restore_warnings(change: VoiceChange, snapshot: Mapping[str, Json]) -> list[Json]:
    found: list[Json] = []
    if change.is_missing:
        message = "The key of then is not stored any more, or belongs to another voice provider; enter it again."
        found.append(_warning(AT, "secret_dropped", message))
    if snapshot.get(ACTING) != change.columns[ACTING]:
        message = "The user of then has left the organization; calls write in the name of the assistant's creator."
        found.append(_warning(ACTING, "acting_user_gone", message))
    return found


async def _is_member(call: Call, user_id: Json) -> bool:
    return await call.connection.fetchval(IS_MEMBER, call.organization_id, user_id) is not None


def _warning(field: str, code: str, message: str) -> Json:
    return {"field": field, "code": code, "message": message}
