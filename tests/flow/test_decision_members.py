"""What was decided stands beside the message and the conversation, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from frontdesk.core.errors import Json
from tests.flow.harness import Desk
from tests.flow.test_silence import CLOSED


async def shown(desk: Desk, path: str, **query: Any) -> list[Json]:
    found = await desk.door.call(desk.owner, path, "find", query=query)
    rows = found.value["data"]
    assert isinstance(rows, list)
    return [row.get("ai_decision", "left out") for row in rows if isinstance(row, dict)]


async def test_messages_and_conversations_tell_their_decision_by_a_flag(desk: Desk) -> None:
    await desk.configure(schedule_config=CLOSED)
    await desk.ask("Hello?")
    messages = "conversation-messages-playground"
    assert set(map(str, await shown(desk, messages, conversation_id=desk.conversation_id))) == {"left out"}
    first, answer, last, line = await shown(desk, messages, conversation_id=desk.conversation_id, withAiDecision=True)
    assert (answer, line, first["outcome"]) == (None, None, "answered")  # type: ignore[index, call-overload]
    assert last["sentence"].endswith("outside the schedule (Mon 14:00–18:00 UTC).")  # type: ignore[index, call-overload, union-attr]
    assert await shown(desk, "conversations", withAiDecision=True) == [last]
    assert await shown(desk, "conversations") == ["left out"]


async def test_what_would_have_to_change_is_told_in_both_languages(desk: Desk) -> None:
    await desk.configure(schedule_config=CLOSED)
    await desk.ask("Hello?")
    (row,) = await desk.fetch("SELECT * FROM ai_decisions ORDER BY id DESC LIMIT 1")
    assert row["would_change"].startswith("It would answer from Mon 2026-01-05 14:00 on")
    assert row["would_change_es"].startswith("Respondería a partir de lun 2026-01-05 14:00")
    assert row["sentence_es"].endswith("fuera del horario (lun 14:00–18:00 UTC).")


@pytest.mark.parametrize(
    ("query", "count"),
    [({"outcome": "silent"}, 1), ({"gate": "schedule"}, 1), ({"gate": None}, 1), ({"support_ticket_id": 1}, 0),
     ({"reason": "answered"}, 1), ({"ai_assistant_id": 1}, 2),
     ({"ai_assistant_id": 99}, 0), ({"conversation_id": 1, "message_id": {"$gt": 1}}, 1),
     ({"created_at": {"$gte": "2026-01-05T00:00:00Z", "$lt": "2026-01-06T00:00:00Z"}}, 2),
     ({"decided_at": {"$gte": "2026-01-06T00:00:00Z"}}, 0)],
    ids=["outcome", "gate", "no-gate", "no-ticket", "reason", "assistant", "another", "message", "period", "later"],
)  # fmt: skip
async def test_decisions_are_found(desk: Desk, query: dict[str, Any], count: int) -> None:
    await desk.configure(schedule_config=CLOSED)
    await desk.ask("Hello?")
    found = await desk.door.call(desk.owner, "ai-decisions", "find", query=query)
    assert found.value["total"] == count
