"""The system prompt of a turn: the unchanging part first, so that a provider's prefix cache can hold it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from frontdesk.assistants.config import AssistantConfig, Language
from frontdesk.assistants.schedule import opening
from frontdesk.assistants.skills import Skill
from frontdesk.runtime.answer_words import FINAL_WORDS, OBJECT_WORDS
from frontdesk.runtime.handoff_prompt import handoff_rules
from frontdesk.runtime.prompt_words import WORDS, PromptWords
from frontdesk.runtime.staff_words import STAFF_WORDS, Colleague, words_of

LONGEST_DATUM = 120  # characters of a contact's field; more would be room for instructions


@dataclass(frozen=True, slots=True)
class Customer:
    """Who writes. Unverified details are claims and stay out of the prompt."""

    is_verified: bool
    channel: str
    contact_id: int | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket's head says. The subject is the customer's text."""

    reference_number: str
    subject: str
    priority: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """`stable` is the same for every turn of one configuration, `moving` changes with time and customer."""

    stable: str
    moving: str

    @property
    def text(self) -> str:
        return "\n\n".join(part for part in (self.stable, self.moving) if part)


def build(
    config: AssistantConfig, offered: Sequence[str], customer: Customer | Colleague, now: datetime,
    ticket: Ticket | None = None,
) -> Prompt:  # fmt: skip
    """The prompt for `config` at `now` (aware). `offered` are the names of the tools that the model sees."""
    words = words_of(config)
    return Prompt(
        stable="\n\n".join(_stable(config, offered, words)),
        moving="\n".join(_moving(config, customer, now, ticket, words)),
    )


def _stable(config: AssistantConfig, offered: Sequence[str], words: PromptWords) -> Iterator[str]:
    yield words.name.format(name=_quoted(config.name))
    if config.instructions.strip():
        yield config.instructions.strip()
    if config.skills:
        yield "\n".join([words.skills, *(_skill(skill) for skill in config.skills)])
    yield words.rules
    yield words.language
    yield words.tools if offered else words.no_tools
    yield from handoff_rules(offered, config.instructions_language)
    if config.json_keys.root:
        yield (FINAL_WORDS if config.model_takes_tools else OBJECT_WORDS)[config.instructions_language]
    yield words.untrusted


def _moving(
    config: AssistantConfig, customer: Customer | Colleague, now: datetime, ticket: Ticket | None, words: PromptWords
) -> Iterator[str]:
    yield words.now_title
    wall = format_datetime(now, words.date_format, tzinfo=ZoneInfo(config.timezone), locale=words.locale)
    yield words.now.format(wall=wall, timezone=config.timezone)
    if config.schedule.enabled:
        yield _hours(config, now, words)
    if config.assistant_type == "ai-chat":
        yield _colleague(customer, words)
        return
    assert isinstance(customer, Customer)
    if customer.channel != "api":  # a form's ticket has no channel that a customer would know by name
        yield words.channel.format(channel=customer.channel)
    if ticket is not None:
        head = {name: _short(value) for name, value in asdict(ticket).items()}
        yield words.ticket.format(ticket=json.dumps(head, ensure_ascii=False))
    yield from _customer(config, customer, words)


def _hours(config: AssistantConfig, now: datetime, words: PromptWords) -> str:
    found = opening(config.schedule, config.timezone, now)
    if found.is_open:
        return words.open
    if found.next_opening is None:
        return words.closed
    wall = format_datetime(found.next_opening, words.date_format, tzinfo=ZoneInfo(config.timezone), locale=words.locale)
    return words.closed_until.format(wall=wall)


def _colleague(who: Customer | Colleague, words: PromptWords) -> str:
    """Who tries the assistant in the playground is of the team too, but writes as somebody else."""
    if isinstance(who, Customer):
        return words.unverified
    known = {"name": _short(who.name), "role": who.role}
    return words.verified.format(details=json.dumps({k: v for k, v in known.items() if v}, ensure_ascii=False))


def _customer(config: AssistantConfig, customer: Customer, words: PromptWords) -> Iterator[str]:
    if not customer.is_verified:
        yield words.unverified
        return
    yield words.verified
    if config.access_contact == "none":
        return
    name = " ".join(part for part in (customer.first_name, customer.last_name) if part)
    known = {"contact_id": customer.contact_id, "name": name, "email": customer.email, "phone": customer.phone}
    details = {key: _short(value) for key, value in known.items() if value}
    if details:
        yield words.details.format(details=json.dumps(details, ensure_ascii=False))


# One line and a bounded length: a contact's field is the customer's text, and may try to be an instruction.
def _short(value: str | int) -> str | int:
    return value if isinstance(value, int) else " ".join(value.split())[:LONGEST_DATUM]


def _skill(skill: Skill) -> str:
    return f"- {_quoted(skill.name)}: {_quoted(skill.when_to_use)}"


def _quoted(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def fixed_line(language: Language, *, is_staff_chat: bool = False) -> str:
    """What the customer gets when no model answers and nobody can take over (rule 14 of a turn)."""
    return (STAFF_WORDS if is_staff_chat else WORDS)[language].fixed_line
