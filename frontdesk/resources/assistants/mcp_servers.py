"""`mcp_tools` when an assistant is saved: checked, the secrets sealed, and what cannot work told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from frontdesk.assistants.mcp_secrets import Sealed, restored, settle
from frontdesk.assistants.mcp_tools import McpTools, mcp_warnings, server_faults
from frontdesk.assistants.section import read
from frontdesk.core.door import Call
from frontdesk.core.errors import Invalid, Json

FIELD, SEALED = "mcp_tools", "mcp_secrets_sealed"
_STORED = """
    SELECT mcp_tools::text AS mcp_tools, mcp_secrets_sealed::text AS mcp_secrets_sealed FROM ai_assistants
    WHERE organization_id = $1 AND id = $2
"""


@dataclass(frozen=True, slots=True)
class McpChange:
    """The columns to write (none: the section was not sent), and the warnings."""

    columns: dict[str, Json] = field(default_factory=dict)
    warnings: list[Json] = field(default_factory=list)


def settle_mcp(call: Call, sent: Mapping[str, Json], before: Mapping[str, Json] | None) -> McpChange:
    """What a sent section becomes. Raises `Invalid` with the path of each wrong member."""
    stored = read(McpTools, before[FIELD], FIELD) if before is not None else None
    if FIELD not in sent:
        return McpChange(warnings=[*mcp_warnings(stored)] if stored is not None else [])
    servers = read(McpTools, sent[FIELD], FIELD)
    if wrong := [f for i, one in enumerate(servers.root) for f in server_faults(one, f"{FIELD}.{i}.", call.door.guard)]:
        raise Invalid(wrong)
    sealed = cast(Sealed, (before[SEALED] or {}) if before is not None else {})
    settled = settle(servers, stored, sealed, lambda secret, origin: call.door.vault.seal(secret, origin))
    missing: list[Json] = [
        {"field": path, "code": "secret_missing", "message": "No value is stored; enter it to use the server."}
        for path in settled.missing
    ]
    columns: dict[str, Json] = {FIELD: cast(Json, settled.servers), SEALED: cast(Json, settled.sealed) or None}
    return McpChange(columns, [*missing, *mcp_warnings(McpTools.model_validate(settled.servers))])


async def restored_mcp(call: Call, assistant_id: int, then: Json) -> McpChange:
    """An older section with the secrets of today, and a warning for each that is not there any more."""
    row = await call.connection.fetchrow(_STORED, call.organization_id, assistant_id)
    assert row is not None
    now = read(McpTools, json.loads(row[FIELD] or "[]"), FIELD)
    servers, dropped = restored(read(McpTools, then, FIELD), now)
    message = "The secret of then is not stored any more, or belongs to another address; enter it again."
    return McpChange(
        {FIELD: cast(Json, servers)},
        [{"field": path, "code": "secret_dropped", "message": message} for path in dropped],
    )
