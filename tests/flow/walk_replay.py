"""What a walk leaves is replayed without a draft: not one difference, neither of answers nor of reminders."""

from __future__ import annotations

from typing import Any

from tests.flow.harness import Desk

ASSISTANTS = "SELECT id FROM ai_assistants WHERE deleted_at IS NULL ORDER BY id"
PERIOD = {"from": "2026-01-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}


async def replay_faults(desk: Desk) -> list[str]:
    """For each assistant that is left."""
    found: list[str] = []
    for row in await desk.fetch(ASSISTANTS):
        told = dict((await desk.call("ai-assistants-replay", "create", row["id"], period=PERIOD)).value)
        found += [f"assistant {row['id']}: {fault}" for fault in _differences(told)]
    return found


def _differences(told: dict[str, Any]) -> list[str]:
    found = [f"{kind}: {change['examples'][:1]}" for kind, change in told["changes"].items() if change["conversations"]]
    rows = [*told["reasons"], *told["reminders"]["reasons"]]
    found += [
        f"{row['reason']}: {row['recorded']} and {row['draft']}" for row in rows if row["recorded"] != row["draft"]
    ]
    if told["reminders"]["recorded"] != told["reminders"]["draft"]:
        found.append(f"reminders: {told['reminders']}")
    return found
