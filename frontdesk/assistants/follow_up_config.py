"""`follow_up_config`: when the assistant writes once more to a customer who has not answered, and what."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from frontdesk.assistants.section import Paragraph, Section, clean

MOST_RULES = 20
MOST_MINUTES = 90 * 24 * 60  # a quarter of a year: later than that nobody remembers the conversation
MOST_VALUES = 20
Channel = Literal["email", "gmail", "instagram", "messenger", "playground", "sms", "webchat", "whatsapp"]
Stop = Literal["reply", "close", "human", "opt_out"]
Way = Literal["ai", "fixed", "template"]
STOPS: tuple[Stop, ...] = ("reply", "close", "human", "opt_out")


def _id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise ValueError("must be made of letters, digits, - and _")
    return text


def _each_once(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("must name each once")
    return names


RuleId = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_id)]
Value = Annotated[str, StringConstraints(max_length=500), AfterValidator(clean)]
Variable = Annotated[str, StringConstraints(min_length=1, max_length=60), AfterValidator(_id)]


class FollowUpRule(Section):
    """One message, `after_minutes` after the assistant's last reply. No channel named means every one.

    `ai` writes it by `instructions`, `fixed` sends `message`, `template` sends a message template with its values.
    """

    id: RuleId
    after_minutes: Annotated[int, Field(ge=1, le=MOST_MINUTES)]
    mode: Way = "ai"
    instructions: Paragraph | None = None
    message: Paragraph | None = None
    template_id: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    template_values: Annotated[dict[Variable, Value], Field(max_length=MOST_VALUES)] = Field(default_factory=dict)
    only_in_schedule: bool = True
    channels: Annotated[list[Channel], Field(max_length=8), AfterValidator(_each_once)] = Field(default_factory=list)

    def is_for(self, channel: str) -> bool:
        return not self.channels or channel in self.channels

    def way(self, channel: str, is_window_open: bool) -> Way | None:
        """What goes out on this channel; None: nothing can. Outside the window it is the template, if there is one."""
        has_template = self.template_id is not None and channel == "whatsapp"
        if self.mode == "template" or not is_window_open:
            return "template" if has_template else None
        return self.mode

    @model_validator(mode="after")
    def _has_what_it_sends(self) -> FollowUpRule:
        if self.mode == "fixed" and not self.message:
            raise ValueError("must have a message when its mode is fixed")
        if self.mode == "template" and self.template_id is None:
            raise ValueError("must have a template_id when its mode is template")
        return self


def _ids_once(rules: list[FollowUpRule]) -> list[FollowUpRule]:
    ids = [rule.id for rule in rules]
    for id in ids:
        if ids.count(id) > 1:
            raise ValueError(f"must have a different id for each rule; {id} stands {ids.count(id)} times")
    return rules


class FollowUpConfig(Section):
    """`stop_on` are the events after which no further message of a conversation is due.

    A close, a person and an opt-out end them whatever stands there; only `reply` may be left out.
    """

    enabled: bool = False
    max_per_conversation: Annotated[int, Field(ge=1, le=20)] = 3
    stop_on: Annotated[list[Stop], Field(max_length=4), AfterValidator(_each_once)] = Field(
        default_factory=lambda: list(STOPS)
    )
    rules: Annotated[list[FollowUpRule], Field(max_length=MOST_RULES), AfterValidator(_ids_once)] = Field(
        default_factory=list
    )

    @property
    def stops_on_reply(self) -> bool:
        return "reply" in self.stop_on

    @property
    def in_force(self) -> tuple[FollowUpRule, ...]:
        """The rules that schedule anything, the soonest first."""
        return tuple(sorted(self.rules, key=lambda rule: rule.after_minutes)) if self.enabled else ()

    def rule(self, id: str) -> FollowUpRule | None:
        """The rule that is in force under this id."""
        return next((rule for rule in self.in_force if rule.id == id), None)
