"""What of a response that is being written may be shown: the reply in its `final_answer`, and nothing else."""

from __future__ import annotations

from pydantic_ai.messages import (
    AgentStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    ToolCallPart,
    ToolCallPartDelta,
)

from frontdesk.assistants.json_keys import FINAL_ANSWER, REPLY
from frontdesk.core.storable import storable
from frontdesk.runtime.reply_stream import ReplyStream


class ReplyDraft:
    """Fed with the events of one response; of several answers in it the first is read."""

    def __init__(self) -> None:
        self._index: int | None = None
        self._stream = ReplyStream()

    def delta(self, event: AgentStreamEvent) -> str:
        """What this event adds to the reply; text beside the call is the model's own."""
        if isinstance(event, PartStartEvent) and isinstance(event.part, ToolCallPart) and self._index is None:
            self._index = event.index if event.part.tool_name == FINAL_ANSWER else None
            return "" if self._index is None else self._read(event.part.args)
        if isinstance(event, PartDeltaEvent) and event.index == self._index:
            return self._read(event.delta.args_delta) if isinstance(event.delta, ToolCallPartDelta) else ""
        return ""

    def _read(self, args: object) -> str:
        if isinstance(args, str):
            return self._stream.feed(args)
        # A provider that sends arguments whole sends them once.
        reply = args.get(REPLY) if isinstance(args, dict) else None
        return str(storable(reply)) if isinstance(reply, str) else ""
