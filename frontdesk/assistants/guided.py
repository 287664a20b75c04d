"""Guided mode: instructions written from a form, in English or Spanish. The same form always gives the same text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from frontdesk.assistants.config import Language
from frontdesk.assistants.guided_config import EasyModeConfig, Example, Faq, RequiredDatum
from frontdesk.assistants.guided_words import WORDS, Words


def render(config: EasyModeConfig, language: Language) -> str:
    """The instructions for `config`, as Markdown sections; a section without entries is left out."""
    words = WORDS[language]
    sections = (
        _who(config, words),
        f"## {words.tone}\n{words.tones[config.tone]}",
        _list(words.goals, config.goals, words.goals_lead),
        _list(words.rules, (*config.rules, *words.house_rules)),
        _list(words.forbidden, config.forbidden_topics, words.forbidden_lead, words.forbidden_tail),
        _required(config.required_data, words),
        _faqs(config.faqs, words),
        _speech(config, words),
        _examples(config.examples, words),
    )
    return "\n\n".join(section for section in sections if section)


def _line(text: str | None) -> str:
    """The text on one line: a line break inside an entry would end its list item."""
    return " ".join((text or "").split())


def _sentence(text: str | None) -> str:
    line = _line(text)
    return line if not line or line.endswith((".", "!", "?", "…", ":")) else line + "."


def _block(text: str) -> str:
    """The text with its own line breaks, indented so that it stays inside its list item."""
    lines = [" ".join(line.split()) for line in text.strip().splitlines()]
    return _sentence(lines[0]) if len(lines) == 1 else "\n  " + "\n  ".join(line for line in lines if line)


def _who(config: EasyModeConfig, words: Words) -> str:
    business, role = _line(config.business_name), _line(config.role)
    if business and role:
        opening = words.role_of_business.format(role=role, business=business)
    elif business:
        opening = words.assistant_of_business.format(business=business)
    elif role:
        opening = words.role_alone.format(role=role)
    else:
        opening = words.assistant_alone
    about = _sentence(config.business_description)
    return f"## {words.who}\n{opening}" + (f"\n{words.about.format(about=about)}" if about else "")


def _list(title: str, entries: Sequence[str], lead: str = "", tail: str = "") -> str:
    if not entries:
        return ""
    lines = [f"## {title}", lead, *(f"- {_sentence(entry)}" for entry in entries), tail]
    return "\n".join(line for line in lines if line)


def _required(data: Sequence[RequiredDatum], words: Words) -> str:
    if not data:
        return ""
    return "\n".join([f"## {words.required}", words.required_lead, *(_datum(entry, words) for entry in data)])


def _datum(entry: RequiredDatum, words: Words) -> str:
    text = f"- **{_line(entry.field)}**"
    if entry.when:
        text += f" ({_line(entry.when)})"
    return text + (words.ask.format(ask=_line(entry.ask)) if entry.ask else "")


def _faqs(faqs: Sequence[Faq], words: Words) -> str:
    if not faqs:
        return ""
    pairs = (f"- **{_line(faq.question)}** {_block(faq.answer)}" for faq in faqs)
    return "\n".join([f"## {words.faqs}", words.faqs_lead, *pairs])


def _speech(config: EasyModeConfig, words: Words) -> str:
    lines = [*_saying(words.greeting, config.greeting), *_saying(words.closing, config.closing)]
    return "\n".join([f"## {words.speech}", *lines]) if lines else ""


def _saying(template: str, text: str | None) -> Iterator[str]:
    if _line(text):
        yield template.format(text=_line(text))


def _examples(examples: Sequence[Example], words: Words) -> str:
    if not examples:
        return ""
    pairs = (
        f"{words.customer}: {_line(example.customer)}\n{words.assistant}: {_line(example.assistant)}"
        for example in examples
    )
    return f"## {words.examples}\n{words.examples_lead}\n\n" + "\n\n".join(pairs)
