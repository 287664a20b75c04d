"""The rules of a hand-off that need no model: pure functions of the facts, so that a decision can be replayed."""

from __future__ import annotations

from dataclasses import dataclass

from frontdesk.assistants.handoff_config import AttachmentRule, HumanHandoffConfig, Keywords, MessageCount, NoAnswer
from frontdesk.runtime.facts import Facts


@dataclass(frozen=True, slots=True)
class Match:
    """The rule that hands over: its type (or a code), its id and place, and what it matched."""

    rule: str
    rule_id: str | None = None
    detail: str | None = None
    index: int | None = None


def first_match(handoff: HumanHandoffConfig, facts: Facts) -> Match | None:
    """The first rule, in the order of the configuration, that the facts match."""
    places = {rule.id: place for place, rule in enumerate(handoff.known_rules)}
    for rule in handoff.looked_up:
        detail = _detail(rule, facts)
        if detail is not None:
            return Match(rule.type, rule.id, detail, places[rule.id])
    return None


def _detail(rule: Keywords | MessageCount | AttachmentRule | NoAnswer, facts: Facts) -> str | None:
    """What the rule matched in words; None where it does not match."""
    match rule:
        case Keywords():
            return next((hit for text in facts.inbound_texts if (hit := rule.hit(text)) is not None), None)
        case MessageCount():
            return str(facts.message_count) if facts.message_count >= rule.count else None
        case AttachmentRule():
            return next((kind for kind in facts.inbound_types if kind in rule.kinds), None)
        case NoAnswer():
            return str(facts.turns_without_progress) if facts.turns_without_progress >= rule.after_turns else None
