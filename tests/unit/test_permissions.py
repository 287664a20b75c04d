"""Which tools are offered: the table of keys, and the lower of switch and access."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from frontdesk.assistants.api_tools import ApiTools, ApiToolUse
from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.internal_tools import InternalTools
from frontdesk.assistants.permissions import SENTENCES, api_tool_permission, offered, permission, permissions
from frontdesk.assistants.tool_keys import BUILT, TOOL_KEYS

ALL_ON = InternalTools.model_validate({"tools": dict.fromkeys(TOOL_KEYS, True)})
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def config(tools=ALL_ON, access="read_write", **more):
    return AssistantConfig(1, 1, internal_tools=tools, access_contact=access, access_deals=access, **more)


def switched(key, **options):
    return InternalTools.model_validate({"tools": {key: {"enabled": True, **options}}})


def test_the_table_has_the_published_keys() -> None:
    areas = Counter(key.area for key in TOOL_KEYS.values())
    assert sum(areas.values()) == 94
    assert areas == {
        "crm": 23, "messaging": 8, "products": 2, "automations": 2, "reservations": 5, "projects": 28, "strategy": 11,
        "billing": 10, "database": 2, "integrations": 1, "series": 2,
    }  # fmt: skip
    assert TOOL_KEYS.keys() >= BUILT


def test_what_is_on_built_and_accessible_is_offered() -> None:
    assert set(offered(config())) == BUILT


def test_nothing_is_offered_by_default() -> None:
    assert offered(AssistantConfig(1, 1)) == ()


@pytest.mark.parametrize(
    ("key", "access", "rule"),
    [("find_contact", "none", "access_none"), ("find_contact", "read", "allowed"), ("get_contact", "read", "allowed"),
     ("update_contact", "read", "access_read"), ("update_contact", "read_write", "allowed"),
     ("get_notes", "read", "allowed"), ("add_note", "read", "access_read"), ("add_note", "none", "access_none"),
     ("search_products", "none", "allowed"), ("create_reservation", "read_write", "not_installed")],
)  # fmt: skip
def test_the_lower_of_switch_and_access_wins(key, access, rule) -> None:
    assert permission(config(access=access), key).rule == rule


def test_a_key_that_is_off_is_off_whatever_the_access() -> None:
    off = InternalTools.model_validate({"tools": {"find_contact": False}})
    assert permission(config(off), "find_contact").rule == "off"
    assert permission(config(off), "get_contact").rule == "off"


def test_what_needs_an_approval_is_offered_and_says_so() -> None:
    found = permission(config(switched("update_contact", approval="always")), "update_contact")
    assert (found.rule, found.config_path) == ("needs_approval", "internal_tools.tools.update_contact.approval")
    assert (found.is_allowed, found.needs_approval) == (True, True)
    assert offered(config(switched("update_contact", approval="always"))) == ("update_contact",)
    refused = permission(config(switched("update_contact", approval="always"), access="read"), "update_contact")
    assert (refused.is_allowed, refused.rule) == (False, "access_read")


def test_a_deleted_assistant_may_nothing() -> None:
    assert offered(config(deleted_at=NOW)) == ()


def test_an_unknown_name_is_refused() -> None:
    assert permission(config(), "drop_tables").rule == "unknown"


def test_silent_mode_takes_sending_away(monkeypatch) -> None:
    key = TOOL_KEYS["send_conversation_message"]
    built = type(key)(key.key, key.area, key.verb, key.entity, is_built=True)
    monkeypatch.setitem(TOOL_KEYS, key.key, built)
    assert permission(config(disable_reply=True), key.key).rule == "disable_reply"
    assert permission(config(), key.key).rule == "allowed"


def test_the_scope_comes_with_the_permission() -> None:
    assert permission(config(), "find_contact").scope == "own"
    assert permission(config(assistant_type="ai-chat"), "find_contact").scope == "organization"
    assert permission(config(switched("find_contact", scope="organization")), "find_contact").scope == "organization"


@pytest.mark.parametrize("rule", SENTENCES)
def test_every_rule_has_a_sentence_without_a_gap(rule) -> None:
    assert "{" not in SENTENCES[rule].format(entity="contact")


def test_each_entry_of_the_trace_says_why() -> None:
    found = {entry.key: entry.as_json() for entry in permissions(config(access="none"))}
    assert len(found) == 94
    assert found["find_contact"] == {
        "key": "find_contact", "allowed": False, "rule": "access_none", "scope": "own",
        "config_path": "access_permissions_contact",
    }  # fmt: skip
    assert "access_permissions_contact is none" in permission(config(access="none"), "find_contact").sentence


API_RULES = [
    ({}, "allowed"),
    ({"api_tools": ApiTools([])}, "api_off"),
    ({"api_tools": ApiTools([ApiToolUse(api_tool_id=3, enabled=False)])}, "api_off"),
    ({"api_tools": ApiTools([ApiToolUse(api_tool_id=3, approval="always")])}, "needs_approval"),
    ({"deleted_at": NOW}, "deleted"),
    # It may send something, but what and to whom only its owner knows: silent mode leaves it as it is configured.
    ({"disable_reply": True}, "allowed"),
]


@pytest.mark.parametrize(("members", "rule"), API_RULES, ids=[f"{rule}-{i}" for i, (_, rule) in enumerate(API_RULES)])
def test_an_api_tool_is_ruled_by_the_assistants_entry(members: dict[str, object], rule: str) -> None:
    named = {"api_tools": ApiTools([ApiToolUse(api_tool_id=3)])}
    found = api_tool_permission(config(**(named | members)), 3, "api_order_status")
    assert (found.rule, found.is_allowed) == (rule, rule in ("allowed", "needs_approval"))
    assert found.sentence


@pytest.mark.parametrize(("approval", "rule"), [("never", "allowed"), ("always", "follow_up_reads")])
def test_a_follow_up_waits_for_nobody(approval: str, rule: str) -> None:
    found = permission(config(switched("find_contact", approval=approval), only_reads=True), "find_contact")
    assert (found.rule, found.is_allowed) == (rule, rule == "allowed")
