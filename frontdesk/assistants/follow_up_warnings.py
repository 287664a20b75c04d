"""What is stored of follow-ups and does not work as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.follow_up_config import FollowUpRule
from frontdesk.assistants.schedule import next_opening
from frontdesk.core.errors import Fault, Json

FIELD = "follow_up_config"
# How each mode is fed; what belongs to another mode is stored and not sent.
FED_BY: Mapping[str, str] = {"ai": "instructions", "fixed": "message", "template": "template_id"}


def follow_up_warnings(config: AssistantConfig, now: datetime) -> Iterator[dict[str, Json]]:
    """Warnings of the record alone; templates are looked up by `follow_up_references`."""
    follow_up = config.follow_up
    if not follow_up.enabled:
        return
    if not config.hands_over:
        message = f"An assistant of the type {config.assistant_type} has no customer to write to again."
        yield {"field": FIELD, "code": "follow_up_not_for_type", "message": message}
        return
    message = "Follow-ups are not available in this version; the rules are stored and nothing is sent."
    yield {"field": FIELD, "code": "follow_up_not_available", "message": message}
    if not follow_up.rules:
        yield {"field": f"{FIELD}.rules", "code": "follow_up_without_rules", "message": "There is no rule to follow."}
    schedule = config.schedule
    zone = ZoneInfo(config.timezone)
    is_closed = schedule.enabled and next_opening(schedule, zone, now.astimezone(UTC)) is None
    for i, rule in enumerate(follow_up.rules):
        if is_closed and rule.only_in_schedule:
            message = f"Rule {rule.id} waits for the schedule, which never opens."
            yield {"field": f"{FIELD}.rules.{i}", "code": "follow_up_never_due", "message": message}
        yield from _of_rule(rule, f"{FIELD}.rules.{i}")


def _of_rule(rule: FollowUpRule, at: str) -> Iterator[dict[str, Json]]:
    for mode, name in FED_BY.items():
        if mode != rule.mode and getattr(rule, name) is not None:
            message = f"Rule {rule.id} does not use {name}, because its mode is {rule.mode}."
            yield {"field": f"{at}.{name}", "code": "follow_up_unused", "message": message}
    others = [channel for channel in rule.channels if channel != "whatsapp"]
    if rule.mode == "template" and (others or not rule.channels):
        message = f"Rule {rule.id} sends a template, which only WhatsApp knows; on other channels it sends nothing."
        yield {"field": f"{at}.channels", "code": "follow_up_channel_unfit", "message": message}


def template_faults(config: AssistantConfig, known: Mapping[int, bool]) -> Iterator[Fault]:
    """`known` says of each template of the organization whether it is deleted; those were there, and give a warning."""
    for i, rule in enumerate(config.follow_up.rules):
        if rule.template_id is not None and rule.template_id not in known:
            yield Fault(f"{FIELD}.rules.{i}.template_id", "reference", "names no template that exists")


def template_warnings(config: AssistantConfig, known: Mapping[int, bool]) -> Iterator[dict[str, Json]]:
    for i, rule in enumerate(config.follow_up.rules):
        if rule.template_id is not None and known.get(rule.template_id):
            message = f"The template of rule {rule.id} has been deleted, so the rule sends nothing."
            yield {"field": f"{FIELD}.rules.{i}.template_id", "code": "template_deleted", "message": message}
