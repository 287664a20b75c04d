"""`ai_assistant_handoff_config`: to which other assistants a conversation may be passed on, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from frontdesk.assistants.section import Line, Paragraph, Section

TRANSFER_TO_ASSISTANT = "transfer_to_assistant"

MOST_TARGETS = 50
Id = Annotated[int, Field(ge=1, le=2**53)]


class HandoffTarget(Section):
    """`share`: the other assistant reads the whole conversation, or a summary of it. It says `when` to the model."""

    assistant_id: Id
    when: Line
    share: Literal["full", "summary"] = "full"
    customer_message: Paragraph | None = None


def _each_once(targets: list[HandoffTarget]) -> list[HandoffTarget]:
    if len({target.assistant_id for target in targets}) < len(targets):
        raise ValueError("must name each assistant once")
    return targets


class AssistantHandoffConfig(Section):
    """`max_hops`: how often a customer's message may be passed on before somebody has to answer it."""

    enabled: bool = False
    max_hops: Annotated[int, Field(ge=1, le=10)] = 2
    targets: Annotated[list[HandoffTarget], AfterValidator(_each_once)] = Field(
        default_factory=list, max_length=MOST_TARGETS
    )

    @property
    def open_targets(self) -> Sequence[HandoffTarget]:
        """Those that are in force."""
        return self.targets if self.enabled else ()

    def target(self, assistant_id: int) -> HandoffTarget | None:
        return next((target for target in self.open_targets if target.assistant_id == assistant_id), None)


def cycle_through(assistant_id: int, targets: Mapping[int, Sequence[int]]) -> list[int] | None:
    """The shortest way from an assistant back to itself along the hand-offs of all, or None.

    `targets` are whom each assistant may pass on to.
    """
    ways: list[list[int]] = [[assistant_id, target] for target in targets.get(assistant_id, ())]
    seen: set[int] = set()
    while ways:
        way = ways.pop(0)
        last = way[-1]
        if last == assistant_id:
            return way
        if last not in seen:
            seen.add(last)
            ways += [[*way, target] for target in targets.get(last, ())]
    return None
