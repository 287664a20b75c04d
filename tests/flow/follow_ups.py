"""What tests of follow-ups share: a rule of each mode, and what became of what was scheduled."""

from frontdesk.core.errors import Json
from tests.flow.harness import Desk

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
REMINDER = "Shall we keep your place?"
FIXED: dict[str, Json] = {"id": "f1", "after_minutes": 60, "mode": "fixed", "message": REMINDER}
WRITTEN: dict[str, Json] = {"id": "f1", "after_minutes": 60, "mode": "ai", "instructions": "ask about Friday"}


async def remind(desk: Desk, *rules: dict[str, Json], **fields: Json) -> None:
    """Switch follow-ups on."""
    await desk.configure(follow_up_config={"enabled": True, "rules": list(rules), **fields})


async def rows(desk: Desk) -> list[dict[str, Json]]:
    """As the API shows them, the oldest first."""
    found = (await desk.call("ai-follow-ups", "find")).value["data"]
    return list(reversed(found))  # type: ignore[arg-type]


async def ended(desk: Desk) -> list[tuple[Json, Json]]:
    """Status and reason of each; every one that has ended has its decision with a sentence in both languages."""
    shown = await rows(desk)
    over = [row["id"] for row in shown if row["status"] not in ("scheduled", "sending")]
    decisions = await desk.fetch("SELECT * FROM ai_decisions WHERE ai_follow_up_id IS NOT NULL")
    assert sorted(row["ai_follow_up_id"] for row in decisions) == sorted(over)  # type: ignore[type-var]
    assert all(row["sentence"].endswith(".") and row["sentence_es"].endswith(".") for row in decisions)
    assert all(row["reason"].startswith("follow_up_") for row in decisions)
    return [(row["status"], row["reason"]) for row in shown]
