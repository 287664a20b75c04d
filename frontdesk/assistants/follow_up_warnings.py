"""What is stored of follow-ups and does not work as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.follow_up_config import FollowUpRule
from frontdesk.assistants.schedule import next_opening
from frontdesk.core.capabilities import CAPABILITIES
from frontdesk.core.errors import Fault, Json

FIELD = "follow_up_config"
CHANNELS = tuple(CAPABILITIES)
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
    if config.disable_reply:
        message = "While disable_reply is on nothing is sent, so no follow-ups are either."
        yield {"field": f"{FIELD}.enabled", "code": "follow_up_muted", "message": message}
    for name in ("close", "human", "opt_out"):
        if name not in follow_up.stop_on:
            message = f"{name} ends follow-ups in any case; only reply may be left out."
            yield {"field": f"{FIELD}.stop_on", "code": "follow_up_stops_anyway", "message": message}
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
    if rule.mode == "ai" and not (rule.instructions or "").strip():
        message = f"Rule {rule.id} has no instructions; the assistant asks whether the customer still needs help."
        yield {"field": f"{at}.instructions", "code": "follow_up_without_instructions", "message": message}
    shut = ", ".join(channel for channel in CHANNELS if rule.is_for(channel) and _is_shut(channel, rule))
    if shut and rule.mode != "template":
        message = (
            f"Rule {rule.id} is due after the 24 hours in which {shut} may be written to, so nothing is sent there."
        )
        yield {"field": f"{at}.after_minutes", "code": "follow_up_after_window", "message": message}
    for mode, name in FED_BY.items():
        # Of another mode a template is what goes out when WhatsApp takes nothing else.
        if mode == "template" and rule.is_for("whatsapp"):
            continue
        if mode != rule.mode and getattr(rule, name) is not None:
            message = f"Rule {rule.id} does not use {name}, because its mode is {rule.mode}."
            yield {"field": f"{at}.{name}", "code": "follow_up_unused", "message": message}
    others = [channel for channel in rule.channels if channel != "whatsapp"]
    if rule.mode == "template" and (others or not rule.channels):
        message = f"Rule {rule.id} sends a template, which only WhatsApp knows; on other channels it sends nothing."
        yield {"field": f"{at}.channels", "code": "follow_up_channel_unfit", "message": message}


def _is_shut(channel: str, rule: FollowUpRule) -> bool:
    """WhatsApp takes templates afterwards, the others nothing."""
    if channel == "whatsapp" and rule.template_id is not None:
        return False
    window = CAPABILITIES[channel].window
    return window is not None and timedelta(minutes=rule.after_minutes) >= window


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


def value_warnings(config: AssistantConfig, needs: Mapping[int, Sequence[str]]) -> Iterator[dict[str, Json]]:
    """`needs` are the variables of each template. All must have a value and no other may, or WhatsApp refuses it."""
    for i, rule in enumerate(config.follow_up.rules):
        if rule.template_id is None or rule.template_id not in needs:
            continue
        given = {name for name, value in rule.template_values.items() if value.strip()}
        if given != {*needs[rule.template_id]}:
            names = ", ".join(needs[rule.template_id]) or "none"
            message = f"The template of rule {rule.id} needs values for {names}; with others it is not sent."
            yield {"field": f"{FIELD}.rules.{i}.template_values", "code": "template_values_unfit", "message": message}


def approval_warnings(config: AssistantConfig, statuses: Mapping[int, str]) -> Iterator[dict[str, Json]]:
    for i, rule in enumerate(config.follow_up.rules):
        status = statuses.get(rule.template_id or 0, "approved")
        if status != "approved":
            message = f"The template of rule {rule.id} is {status}; only an approved one is sent."
            yield {"field": f"{FIELD}.rules.{i}.template_id", "code": "template_not_approved", "message": message}
