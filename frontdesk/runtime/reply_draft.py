"""What of a response that is being written may be shown: the reply in its final answer, and nothing else."""

from __future__ import annotations

from pydantic_ai.messages import (
    AgentStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ToolCallPart,
    ToolCallPartDelta,
)

from frontdesk.assistants.json_keys import FINAL_ANSWER, REPLY
from frontdesk.core.storable import storable
from frontdesk.runtime.reply_stream import ReplyStream


class ReplyDraft:
    """Fed with the events of one response. Of several parts that hold a reply the first one is read.

    A model that takes no tools writes the object as its text; text that is no such object is the model's own.
    """

    def __init__(self) -> None:
        self._streams: dict[int, ReplyStream] = {}
        self._index: int | None = None  # the part whose reply is shown

    def delta(self, event: AgentStreamEvent) -> str:
        """What this event adds to the reply."""
        if isinstance(event, PartStartEvent):
            part = event.part
            if isinstance(part, ToolCallPart) and part.tool_name == FINAL_ANSWER:
                return self._read(event.index, part.args)
            return self._read(event.index, part.content) if isinstance(part, TextPart) else ""
        if isinstance(event, PartDeltaEvent) and event.index in self._streams:
            if isinstance(event.delta, ToolCallPartDelta):
                return self._read(event.index, event.delta.args_delta)
            return self._read(event.index, event.delta.content_delta) if isinstance(event.delta, TextPartDelta) else ""
        return ""

    def _read(self, index: int, args: object) -> str:
        stream = self._streams.setdefault(index, ReplyStream())
        if isinstance(args, str):
            text = stream.feed(args)
        else:
            # A provider that sends arguments whole sends them once.
            reply = args.get(REPLY) if isinstance(args, dict) else None
            text = str(storable(reply)) if isinstance(reply, str) else ""
        if text and self._index is None:
            self._index = index
        return text if index == self._index else ""
