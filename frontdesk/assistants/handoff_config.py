"""`human_handoff_config`: when a conversation goes to a person, to whom, what the customer reads, how it comes back."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from frontdesk.assistants.section import Line, Paragraph, Section
from frontdesk.core.patterns import compile_pattern, without_accents

TRANSFER_TO_HUMAN = "transfer_to_human"

MOST_RULES = 50
MOST_KEYWORDS = 200  # of one rule
# Of all rules together: each of them is looked for in each message before a model is asked.
MOST_WORDS, MOST_PATTERNS = 1_000, 100
MOST_USERS = 100
Attachment = Literal["image", "video", "audio", "document", "location"]
RuleType = Literal[
    "customer_request", "keywords", "condition", "no_answer", "tool_failure", "message_count", "attachment"
]


def _id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", text):
        raise ValueError("must be 1 to 40 letters, digits, ., - and _")
    return text


RuleId = Annotated[str, AfterValidator(_id)]
Id = Annotated[int, Field(ge=1, le=2**53)]


class CustomerRequest(Section):
    """The customer asks for a person; the model hears it, in whatever words."""

    id: RuleId
    type: Literal["customer_request"]


class Condition(Section):
    """A case in the business's own words, which the model judges."""

    id: RuleId
    type: Literal["condition"]
    description: Line


class Keywords(Section):
    """The customer writes one of these; case and accents do not matter. No model is asked.

    `word`: whole words, several in a row too; `contains`: anywhere; `regex`: RE2's syntax.
    """

    id: RuleId
    type: Literal["keywords"]
    match: Literal["word", "contains", "regex"] = "word"
    keywords: Annotated[list[Line], Field(min_length=1, max_length=MOST_KEYWORDS)]

    @field_validator("keywords")
    @classmethod
    def _can_match(cls, keywords: list[str], info: ValidationInfo) -> list[str]:
        """`match` stands before the keywords, so it is known here."""
        is_regex = info.data.get("match") == "regex"
        for number, keyword in enumerate(keywords, 1):
            try:
                if is_regex:
                    compile_pattern(keyword)
                elif not _plain(keyword):
                    raise ValueError("must have a letter or a digit")
            except ValueError as error:
                raise ValueError(f"has a keyword, number {number}, that {error}") from None
        return keywords

    def hit(self, text: str) -> str | None:
        """The first keyword that the text has."""
        if self.match == "regex":
            return next((keyword for keyword in self.keywords if compile_pattern(keyword).found_in(text)), None)
        text = f" {_plain(text)} " if self.match == "word" else _folded(text)
        return next((keyword for keyword, wanted in self._wanted.items() if wanted in text), None)

    @cached_property
    def _wanted(self) -> dict[str, str]:
        if self.match == "word":
            return {keyword: f" {_plain(keyword)} " for keyword in self.keywords}
        return {keyword: _folded(keyword) for keyword in self.keywords}


def _folded(text: str) -> str:
    return " ".join(without_accents(text).casefold().split())


def _plain(text: str) -> str:
    """The words alone, so that "lawyer!" and "(lawyer)" are the word."""
    return " ".join("".join(c if c.isalnum() else " " for c in _folded(text)).split())


class NoAnswer(Section):
    """So many turns in a row made no progress (`runtime/progress.py` says which do not)."""

    id: RuleId
    type: Literal["no_answer"]
    after_turns: Annotated[int, Field(ge=1, le=10)] = 2


class ToolFailure(Section):
    """So many tool calls in a row failed, in one turn or over several."""

    id: RuleId
    type: Literal["tool_failure"]
    after_failures: Annotated[int, Field(ge=1, le=20)] = 2


class MessageCount(Section):
    """The customer has written so many messages since the assistant got the conversation."""

    id: RuleId
    type: Literal["message_count"]
    count: Annotated[int, Field(ge=1, le=1000)]


class AttachmentRule(Section):
    """The customer sends a file, or a place, of one of these kinds."""

    id: RuleId
    type: Literal["attachment"]
    kinds: Annotated[list[Attachment], Field(min_length=1, max_length=5)]


class _AnyRule(Section):
    """Reads a rule whose type is not known, so that the fault names `type` and nothing else."""

    model_config = ConfigDict(extra="ignore")
    type: RuleType


_TYPES = {
    "customer_request": CustomerRequest,
    "condition": Condition,
    "keywords": Keywords,
    "no_answer": NoAnswer,
    "tool_failure": ToolFailure,
    "message_count": MessageCount,
    "attachment": AttachmentRule,
}


def _tag(value: Any) -> str:
    """Tags stand in brackets: the path of a fault leaves such steps out."""
    known = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return f"[{known}]" if isinstance(known, str) and known in _TYPES else "[other]"


Rule = Annotated[
    Annotated[CustomerRequest, Tag("[customer_request]")]
    | Annotated[Condition, Tag("[condition]")]
    | Annotated[Keywords, Tag("[keywords]")]
    | Annotated[NoAnswer, Tag("[no_answer]")]
    | Annotated[ToolFailure, Tag("[tool_failure]")]
    | Annotated[MessageCount, Tag("[message_count]")]
    | Annotated[AttachmentRule, Tag("[attachment]")]
    | SkipJsonSchema[Annotated[_AnyRule, Tag("[other]")]],
    Discriminator(_tag),
]
KnownRule = CustomerRequest | Condition | Keywords | NoAnswer | ToolFailure | MessageCount | AttachmentRule


def _each_once(values: list[int]) -> list[int]:
    if len(set(values)) < len(values):
        raise ValueError("must name each user once")
    return values


class Target(Section):
    """Who gets it: one of the users, a team, or whoever looks into the queue first.

    `fixed` is the first of the users who is available, or the team as a whole; the other strategies choose one of the
    users, or of the team's members. Where nobody is available it waits in the queue.
    """

    type: Literal["user", "team", "queue"] = "queue"
    user_ids: Annotated[list[Id], AfterValidator(_each_once)] = Field(default_factory=list, max_length=MOST_USERS)
    team_id: Id | None = None
    strategy: Literal["fixed", "round_robin", "least_busy"] = "fixed"

    @model_validator(mode="after")
    def _is_whole(self) -> Target:
        if self.type == "user" and not self.user_ids:
            raise ValueError("must have user_ids when its type is user")
        if self.type == "team" and self.team_id is None:
            raise ValueError("must have team_id when its type is team")
        return self


class Return(Section):
    """How the assistant gets it back: by a person, when the person has written nothing for a while, or at the close."""

    mode: Literal["manual", "after_inactivity", "on_close"] = "manual"
    after_minutes: Annotated[int, Field(ge=1, le=43_200)] | None = None  # 30 days

    @model_validator(mode="after")
    def _has_its_minutes(self) -> Return:
        if self.mode == "after_inactivity" and self.after_minutes is None:
            raise ValueError("must have after_minutes when its mode is after_inactivity")
        return self


def _or_default(value: object) -> object:
    return {} if value is None else value


def _or_null(schema: JsonDict) -> None:
    """The schema says what the validator takes."""
    schema["anyOf"] = [{"$ref": schema.pop("$ref")}, {"type": "null"}]


class HumanHandoffConfig(Section):
    """The rules are tried in order; the first that matches hands over."""

    enabled: bool = False
    rules: list[Rule] = Field(default_factory=list, max_length=MOST_RULES)
    # A file leaves out a target whose users are gone: that is the queue.
    target: Annotated[Target, BeforeValidator(_or_default)] = Field(default=Target(), json_schema_extra=_or_null)
    customer_message: Paragraph | None = None
    silent: bool = False
    out_of_schedule_message: Paragraph | None = None
    summary: bool = True
    back: Return = Field(default=Return(), alias="return")

    @model_validator(mode="after")
    def _ids_differ(self) -> HumanHandoffConfig:
        ids = [rule.id for rule in self.known_rules]
        if len(set(ids)) < len(ids):
            raise ValueError("must have rules with different ids")
        return self

    @model_validator(mode="after")
    def _is_quick(self) -> HumanHandoffConfig:
        counts = {True: 0, False: 0}
        for rule in self.known_rules:
            if isinstance(rule, Keywords):
                counts[rule.match == "regex"] += len(rule.keywords)
        if counts[False] > MOST_WORDS or counts[True] > MOST_PATTERNS:
            raise ValueError(
                f"must have at most {MOST_WORDS} keywords and {MOST_PATTERNS} regular expressions in all its rules"
            )
        return self

    @cached_property
    def known_rules(self) -> tuple[KnownRule, ...]:
        return tuple(rule for rule in self.rules if not isinstance(rule, _AnyRule))

    @cached_property
    def judged(self) -> tuple[CustomerRequest | Condition, ...]:
        """The rules that only a model can judge; none while nothing is handed over."""
        found = (rule for rule in self.known_rules if isinstance(rule, CustomerRequest | Condition))
        return tuple(found) if self.enabled else ()

    @cached_property
    def looked_up(self) -> tuple[Keywords | MessageCount | AttachmentRule | NoAnswer, ...]:
        """The rules that are decided before a model is asked."""
        kinds = (Keywords, MessageCount, AttachmentRule, NoAnswer)
        return tuple(rule for rule in self.known_rules if isinstance(rule, kinds)) if self.enabled else ()

    @cached_property
    def tool_failure(self) -> ToolFailure | None:
        found = (rule for rule in self.known_rules if isinstance(rule, ToolFailure))
        return next(found, None) if self.enabled else None

    @cached_property
    def no_answer(self) -> NoAnswer | None:
        found = (rule for rule in self.known_rules if isinstance(rule, NoAnswer))
        return next(found, None) if self.enabled else None

    def rule(self, id: str) -> KnownRule | None:
        """The rule of this id."""
        return next((rule for rule in self.known_rules if rule.id == id), None)
