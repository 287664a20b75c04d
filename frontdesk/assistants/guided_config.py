"""`easy_mode_config`: what a person fills in instead of writing instructions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from frontdesk.assistants.section import Line, Paragraph, Section, clean

Tone = Literal["friendly", "professional", "formal", "playful", "empathetic"]
Optional = Annotated[str, StringConstraints(max_length=4_000), AfterValidator(clean)]


class RequiredDatum(Section):
    """Something the customer is asked for; `ask` is the wording, `when` the moment."""

    field: Line
    ask: Line | None = None
    when: Line | None = None


class Faq(Section):
    question: Line
    answer: Paragraph


class Example(Section):
    customer: Paragraph
    assistant: Paragraph


class EasyModeConfig(Section):
    """Guided mode. Every member is optional: a new assistant begins with an empty form."""

    business_name: Annotated[str, StringConstraints(max_length=200), AfterValidator(clean)] | None = None
    business_description: Optional | None = None
    role: Annotated[str, StringConstraints(max_length=200), AfterValidator(clean)] | None = None
    tone: Tone = "friendly"
    goals: list[Line] = Field(default_factory=list, max_length=50)
    rules: list[Line] = Field(default_factory=list, max_length=50)
    forbidden_topics: list[Line] = Field(default_factory=list, max_length=50)
    required_data: list[RequiredDatum] = Field(default_factory=list, max_length=30)
    faqs: list[Faq] = Field(default_factory=list, max_length=50)
    greeting: Optional | None = None
    closing: Optional | None = None
    examples: list[Example] = Field(default_factory=list, max_length=10)
