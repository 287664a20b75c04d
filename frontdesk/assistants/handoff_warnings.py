"""What of the hand-offs is saved and cannot work as it stands, as far as the record alone can tell."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.handoff_config import Condition, Keywords, KnownRule
from frontdesk.core.errors import Json

Warned = dict[str, Json]
PEOPLE = "human_handoff_config"


def handoff_warnings(config: AssistantConfig) -> Iterator[Warned]:
    """Of both hand-offs."""
    if config.human_handoff.enabled:
        yield from _of_people(config)
    if config.assistant_handoff.enabled and not config.assistant_handoff.targets:
        yield _warning(
            "ai_assistant_handoff_config.targets", "handoff_without_targets", "There is nobody to pass on to."
        )


def _of_people(config: AssistantConfig) -> Iterator[Warned]:
    handoff = config.human_handoff
    if not config.hands_over:
        message = f"An assistant of the type {config.assistant_type} has no conversation that it could hand over."
        yield _warning(PEOPLE, "handoff_not_for_type", message)
    if not handoff.rules:
        message = "Without rules it hands over only when it fails, or when schedule or budget say so."
        yield _warning(f"{PEOPLE}.rules", "handoff_without_rules", message)
    yield from _overlaps(handoff.known_rules)
    yield from _target(config)
    if handoff.silent:
        for name in ("customer_message", "out_of_schedule_message"):
            if getattr(handoff, name):
                yield _warning(f"{PEOPLE}.{name}", "message_unused", "The message is not sent while silent is true.")
    if handoff.out_of_schedule_message and not config.schedule.enabled:
        message = "The message is never sent, because schedule_config is not enabled: it is always open."
        yield _warning(f"{PEOPLE}.out_of_schedule_message", "message_unused", message)
    if handoff.back.after_minutes and handoff.back.mode != "after_inactivity":
        message = f"The minutes are not used while the mode is {handoff.back.mode}."
        yield _warning(f"{PEOPLE}.return.after_minutes", "minutes_unused", message)


def _target(config: AssistantConfig) -> Iterator[Warned]:
    target = config.human_handoff.target
    for kind, name, value in (("user", "user_ids", target.user_ids), ("team", "team_id", target.team_id)):
        if value and target.type != kind:
            message = f"It is not used while the target's type is {target.type}."
            yield _warning(f"{PEOPLE}.target.{name}", "target_unused", message)


def _overlaps(rules: tuple[KnownRule, ...]) -> Iterator[Warned]:
    """A later rule that can never decide anything, because an earlier one matches whenever it would."""
    once = [rule for rule in rules if not isinstance(rule, Keywords | Condition)]
    for kind in dict.fromkeys(rule.type for rule in once):
        for first, second in pairwise([rule for rule in once if rule.type == kind]):
            yield _overlap(rules, second, first, f"both are of the type {kind}, and only one of them can decide")
    seen: dict[tuple[str, str], KnownRule] = {}
    for rule in rules:
        texts = (
            [(rule.match, word.casefold()) for word in rule.keywords] if isinstance(rule, Keywords)
            else [("condition", rule.description.casefold())] if isinstance(rule, Condition) else []
        )  # fmt: skip
        for text in texts:
            if text in seen and seen[text] is not rule:
                yield _overlap(rules, rule, seen[text], f"both match {text[1]!r}")
                break
            seen.setdefault(text, rule)


def _overlap(rules: tuple[KnownRule, ...], rule: KnownRule, earlier: KnownRule, why: str) -> Warned:
    message = f"Rule {rule.id} overlaps with rule {earlier.id}: {why}; the first one counts."
    return _warning(f"{PEOPLE}.rules.{rules.index(rule)}", "rules_overlap", message)


def _warning(field: str, code: str, message: str) -> Warned:
    return {"field": field, "code": code, "message": message}
