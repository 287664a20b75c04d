"""How a body becomes a record: nulls are defaults, sections are checked whole, and only what differs is a change."""

from __future__ import annotations

from collections.abc import Mapping

from frontdesk.assistants.config import SECTIONS, check_timezone
from frontdesk.assistants.schedule_config import ScheduleConfig
from frontdesk.assistants.schedule_overlaps import overlap_faults
from frontdesk.assistants.section import default_of, faults, read
from frontdesk.core.errors import Fault, Invalid, Json

SCHEDULE = "schedule_config"
DEFAULTS: dict[str, Json] = {
    "connection": "system",
    "timezone": "UTC",
    "instructions": "",
    "instructions_language": "ENG",
    "is_easy_mode": False,
    "access_permissions_contact": "none",
    "access_permissions_deals": "none",
    "access_permissions_customer_support": "none",
    "disable_reply": False,
    "enable_message_burst_handling": False,
    "analyze_images": False,
    "can_send_images": False,
    # Without a form the mode decides: none in advanced mode, an empty one in guided mode.
    **{name: default_of(shape) for name, shape in SECTIONS.items() if name != "easy_mode_config"},
    "telnyx_ai_assistant_config": None,
    "acting_user_id": None,
}
# In force with the record, kept out of what a client reads.
BESIDE = {"kept_easy_mode_config": "easy_mode_config", "mcp_secrets_sealed": "mcp_tools",
          "voice_key_sealed": "telnyx_ai_assistant_config"}  # fmt: skip
KEPT = ("kept_instructions", "kept_easy_mode_config")
NEVER_IN_HISTORY = (
    "specific_key_sealed",
    "specific_key_origin",
    "mcp_secrets_sealed",
    "voice_key_sealed",
    "search_text",
    "created_at",
    "updated_at",
)


def settled(sent: Mapping[str, Json], before: Mapping[str, Json] | None) -> dict[str, Json]:
    """The sent fields with nulls as defaults. Raises `Invalid` with the path of everything that is wrong."""
    wrong = [*_section_faults(sent), *_plain_faults(sent, before)]
    if wrong:
        raise Invalid(wrong)
    return {name: DEFAULTS.get(name) if value is None else value for name, value in sent.items()}


def _section_faults(sent: Mapping[str, Json]) -> list[Fault]:
    wrong = [fault for name, shape in SECTIONS.items() for fault in faults(shape, sent.get(name), name)]
    if SCHEDULE in sent and not any(fault.path.startswith(SCHEDULE) for fault in wrong):
        wrong += overlap_faults(read(ScheduleConfig, sent[SCHEDULE], SCHEDULE), SCHEDULE)
    return wrong


def _plain_faults(sent: Mapping[str, Json], before: Mapping[str, Json] | None) -> list[Fault]:
    wrong: list[Fault] = []
    if not str(sent.get("name", "x")).strip():
        wrong.append(Fault("name", "minLength", "must not be empty"))
    if sent.get("timezone") is not None:
        try:
            check_timezone(str(sent["timezone"]))
        except ValueError as error:
            wrong.append(Fault("timezone", "format", str(error)))
    if before is not None and sent.get("assistant_type", before["assistant_type"]) != before["assistant_type"]:
        message = f"cannot be changed; this assistant is of the type {before['assistant_type']}"
        wrong.append(Fault("assistant_type", "immutable", message))
    return wrong


def changes(values: Mapping[str, Json], before: Mapping[str, Json]) -> dict[str, Json]:
    """The values that differ from what is stored."""
    return {name: value for name, value in values.items() if name not in before or before[name] != value}


def changed_fields(differing: Mapping[str, Json]) -> list[str]:
    """The published names of what changed: what is kept beside a field counts as the field."""
    names = {BESIDE.get(name, name) for name in differing}
    return sorted(name for name in names if name not in KEPT and name not in NEVER_IN_HISTORY)


def difference(then: Mapping[str, Json], now: Mapping[str, Json]) -> dict[str, Json]:
    """Field by field, the value in an older snapshot and the value now, where they differ."""
    ignored = {*NEVER_IN_HISTORY, *KEPT, "version"}
    return {
        name: {"old": then[name], "new": now[name]}
        for name in sorted(then.keys() & now.keys())
        if name not in ignored and then[name] != now[name]
    }
