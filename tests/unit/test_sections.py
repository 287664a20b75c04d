"""Every wrong member of a section is refused with its path."""

import pytest

from frontdesk.assistants.advanced_options import AdvancedOptions
from frontdesk.assistants.api_tools import ApiTools
from frontdesk.assistants.config import SECTIONS, check_timezone
from frontdesk.assistants.guided_config import EasyModeConfig
from frontdesk.assistants.internal_tools import InternalTools, switch_of
from frontdesk.assistants.json_keys import JsonKeys
from frontdesk.assistants.response_config import ResponseConfig
from frontdesk.assistants.schedule_config import ScheduleConfig
from frontdesk.assistants.section import default_of, json_schema, read
from frontdesk.core.errors import Invalid

EXAMPLES = {
    "easy_mode_config": {
        "business_name": "Luna Dental", "business_description": "A clinic", "role": "receptionist", "tone": "friendly",
        "goals": ["book visits"], "rules": ["never give a diagnosis"], "forbidden_topics": ["prices of competitors"],
        "required_data": [{"field": "email", "ask": "May I have your e-mail?", "when": "before booking"}],
        "faqs": [{"question": "Where?", "answer": "Here."}], "greeting": "Hello", "closing": "Bye",
        "examples": [{"customer": "Hi", "assistant": "Hello"}],
    },
    "additional_json_keys": [
        {"key": "intent", "type": "string", "enum": ["book", "cancel", "other"], "description": "What they want",
         "required": True, "save_to": {"entity": "contact", "custom_field": "last_intent"}},
        {"key": "lines", "type": "array", "items": {"type": "object", "properties": [
            {"key": "product", "type": "string", "required": True}, {"key": "quantity", "type": "integer"}]}},
    ],
    "response_config": {"mode": "multi", "max_messages": 3, "delay_seconds": {"min": 1, "max": 4}},
    "schedule_config": {
        "enabled": True, "weekly": [{"days": ["mon", "tue"], "from": "09:00", "to": "18:00"}],
        "exceptions": [{"date": "2026-12-25", "closed": True, "ranges": [], "yearly": True}],
        "out_of_schedule": {"action": "message", "message": "We open at nine.", "once_per_hours": 12},
    },
    "internal_tools": {
        "tools": {"create_contact": {"enabled": True, "approval": "never", "scope": "own"}, "find_contact": True}
    },
    "api_tools": [{"api_tool_id": 3, "enabled": True, "when_to_use": "questions about orders", "approval": "never"}],
    "mcp_tools": [
        {"id": "shop", "name": "Shop", "url": "https://shop.example.com/mcp", "enabled": True,
         "authentication_type": "api_key", "api_key": "key-of-the-shop",
         "tools": [{"name": "search", "enabled": True, "approval": "never"}]},
    ],
    "access_permissions_automations": [{"automation_id": 4, "when": "the customer asks for a brochure"}],
    "external_handoff_targets": {
        "targets": [
            {"id": "sales", "name": "Sales", "to": "+15550100", "when": "questions about prices", "mode": "cold"},
            {"id": "desk", "name": "Desk", "to": "sip:desk@pbx.example.com:5061;transport=tls", "mode": "warm"},
        ]
    },
    "telnyx_ai_assistant_config": {
        "sync_status": "pending", "voice_runtime": "telnyx_builtin", "use_custom_llm": False,
        "model": "openai/gpt-4.1", "openai_realtime_model": "gpt-realtime", "greeting": "Luna Dental, good morning.",
        "voice_provider": "elevenlabs", "voice_provider_model": None, "voice_id": "21m00Tcm4TlvDq8ikWAM",
        "voice_name": "Rachel", "voice_model": "ElevenLabs.eleven_flash.21m00Tcm4TlvDq8ikWAM",
        "voice_api_key": "key-of-the-voice", "voice_speed": 1.1, "voice_language_boost": "Spanish",
        "voice_expressive_mode": True, "voice_similarity_boost": 0.75, "transfer_from_number": "+15550111",
        "external_transfer_caller_id_mode": "transfer_from_number",
    },
    "human_handoff_config": {
        "enabled": True,
        "rules": [
            {"id": "r1", "type": "customer_request"},
            {"id": "r2", "type": "keywords", "keywords": ["lawyer"], "match": "word"},
            {"id": "r3", "type": "condition", "description": "the customer is angry"},
            {"id": "r4", "type": "no_answer", "after_turns": 2},
            {"id": "r5", "type": "tool_failure", "after_failures": 2},
            {"id": "r6", "type": "message_count", "count": 25},
            {"id": "r7", "type": "attachment", "kinds": ["image", "audio"]},
        ],
        "target": {"type": "user", "user_ids": [7, 9], "team_id": None, "strategy": "round_robin"},
        "customer_message": "I am passing you on to a colleague.", "silent": False, "out_of_schedule_message": None,
        "summary": True, "return": {"mode": "manual", "after_minutes": None},
    },
    "ai_assistant_handoff_config": {
        "enabled": True, "max_hops": 2,
        "targets": [
            {"assistant_id": 12, "when": "questions about invoices", "share": "full", "customer_message": None}
        ],
    },
    "follow_up_config": {
        "enabled": True, "max_per_conversation": 3, "stop_on": ["reply", "close", "human", "opt_out"],
        "rules": [
            {"id": "f1", "after_minutes": 60, "mode": "ai", "instructions": "remind about the booking", "message": None,
             "template_id": None, "template_values": {}, "only_in_schedule": True, "channels": ["whatsapp", "webchat"]},
            {"id": "f2", "after_minutes": 1440, "mode": "template", "template_id": 3,
             "template_values": {"1": "Luna"}, "channels": ["whatsapp"]},
        ],
    },
    "advanced_options": {
        "temperature": 0.3, "top_p": 0.9, "max_output_tokens": 800, "reasoning_effort": "low",
        "parallel_tool_calls": False, "fallback_ai_model_ids": [2, 3],
        "history_messages": 50, "max_tool_calls": 20, "max_identical_tool_calls": 3,
        "burst": {"window_seconds": 6, "max_seconds": 30},
        "web_search": {"enabled": True, "provider": "searxng", "allowed_domains": ["example.com"], "max_results": 5},
        "summary": {"enabled": True, "after_messages": 40},
        "budget": {"max_cost_per_conversation": 0.5, "max_cost_per_day": 20, "on_exceeded": "stop"},
        "receipts": {"mode": "rules_and_model"},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SECTIONS)
def test_the_documented_shape_is_accepted(name) -> None:
    read(SECTIONS[name], EXAMPLES[name], name)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_default_reads_back_as_itself(name) -> None:
    default = default_of(SECTIONS[name])
    assert read(SECTIONS[name], default, name) == read(SECTIONS[name], None, name)


WRONG = [
    (ApiTools, {}, "", "must be a list"),
    (ApiTools, [{"when_to_use": "x"}], "0.api_tool_id", "is required"),
    (ApiTools, [{"api_tool_id": 1, "colour": 1}], "0.colour", "is not a known field"),
    (ApiTools, [{"api_tool_id": 1, "approval": "maybe"}], "0.approval", "must be one of"),
    (ApiTools, [{"api_tool_id": 1}, {"api_tool_id": 1}], "", "each API tool once"),
    (ApiTools, [{"api_tool_id": i} for i in range(1, 102)], "", "at most 100 items"),
    (JsonKeys, {}, "", "must be a list"),
    (JsonKeys, [{"type": "string"}], "0.key", "is required"),
    (JsonKeys, [{"key": "a b"}], "0.key", "letters, digits and underscores"),
    (JsonKeys, [{"key": "Reply"}], "0.key", "must not be reply"),
    (JsonKeys, [{"key": "a"}, {"key": "A"}], "", "must name each key once"),
    (JsonKeys, [{"key": f"k{i}"} for i in range(51)], "", "at most 50 items"),
    (JsonKeys, [{"key": "a", "type": "text"}], "0.type", "must be one of"),
    (JsonKeys, [{"key": f"k{i}", "description": "x" * 900} for i in range(50)], "", "40000 characters together"),
    (JsonKeys, [{"key": "a", "colour": 1}], "0.colour", "is not a known field"),
    (JsonKeys, [{"key": "a", "enum": []}], "0.enum", "at least 1 item"),
    (JsonKeys, [{"key": "a", "enum": ["x", 1]}], "0.enum", "of the type string only"),
    (JsonKeys, [{"key": "a", "enum": ["x", "X"]}], "0.enum", "twice"),
    (JsonKeys, [{"key": "a", "type": "integer", "enum": [True]}], "0.enum", "of the type integer only"),
    (JsonKeys, [{"key": "a", "type": "boolean", "enum": [True]}], "0.enum", "belongs to a text or a number"),
    (JsonKeys, [{"key": "a", "items": {}}], "0", "must not have items"),
    (JsonKeys, [{"key": "a", "type": "object"}], "0", "must have properties"),
    (JsonKeys, [{"key": "a", "type": "array",
                 "items": {"type": "object", "properties": [{"key": "b", "type": "array"}]}}],
     "0.items.properties.0.type", "must be one of"),
    (JsonKeys, [{"key": "a", "type": "object", "properties": [{"key": "b"}, {"key": "b"}]}], "0", "twice"),
    (JsonKeys, [{"key": "a", "save_to": {"entity": "invoice", "custom_field": "x"}}], "0.save_to.entity", "one of"),
    (JsonKeys, [{"key": "a", "save_to": {"entity": "contact"}}], "0.save_to.custom_field", "is required"),
    (JsonKeys, [{"key": "a", "type": "array", "items": {"type": "integer"},
                 "save_to": {"entity": "contact", "custom_field": "x"}}], "0", "cannot be saved"),
    (EasyModeConfig, {"mood": 1}, "mood", "is not a known field"),
    (EasyModeConfig, {"tone": "rude"}, "tone", "must be one of"),
    (EasyModeConfig, {"goals": [""]}, "goals.0", "at least 1 character"),
    (EasyModeConfig, {"goals": "sell"}, "goals", "must be a list"),
    (EasyModeConfig, {"faqs": [{"question": "Where?"}]}, "faqs.0.answer", "is required"),
    (EasyModeConfig, {"greeting": "a\x00b"}, "greeting", "control characters"),
    (EasyModeConfig, {"greeting": "a\ud800"}, "greeting", "surrogate"),
    (EasyModeConfig, {"role": 7}, "role", "must be a text"),
    (ResponseConfig, {"mode": "many"}, "mode", "must be one of"),
    (ResponseConfig, {"max_messages": 0}, "max_messages", "must be 1 or more"),
    (ResponseConfig, {"max_messages": "3"}, "max_messages", "must be a whole number"),
    (ResponseConfig, {"max_messages": True}, "max_messages", "must be a whole number"),
    (ResponseConfig, {"delay_seconds": {"min": 5, "max": 4}}, "delay_seconds", "min not above max"),
    (ResponseConfig, {"delay_seconds": {"min": float("inf")}}, "delay_seconds.min", "finite"),
    (AdvancedOptions, {"colour": 1}, "colour", "is not a known field"),
    (AdvancedOptions, {"temperature": 2.1}, "temperature", "must be 2"),
    (AdvancedOptions, {"temperature": float("nan")}, "temperature", "finite"),
    (AdvancedOptions, {"top_p": 0}, "top_p", "must be more than 0"),
    (AdvancedOptions, {"max_output_tokens": 15}, "max_output_tokens", "must be 16 or more"),
    (AdvancedOptions, {"max_output_tokens": 500.0}, "max_output_tokens", "must be a whole number"),
    (AdvancedOptions, {"reasoning_effort": "much"}, "reasoning_effort", "must be one of"),
    (AdvancedOptions, {"parallel_tool_calls": None}, "parallel_tool_calls", "must be true or false"),
    (AdvancedOptions, {"fallback_ai_model_ids": ["1"]}, "fallback_ai_model_ids.0", "must be a whole number"),
    (AdvancedOptions, {"fallback_ai_model_ids": [0]}, "fallback_ai_model_ids.0", "must be 1 or more"),
    (AdvancedOptions, {"fallback_ai_model_ids": list(range(1, 7))}, "fallback_ai_model_ids", "at most 5 items"),
    (AdvancedOptions, {"burst": {"window_seconds": 60}}, "burst", "window_seconds not above"),
    (AdvancedOptions, {"history_messages": 1.5}, "history_messages", "must be a whole number"),
    (AdvancedOptions, {"budget": {"max_cost_per_day": 0}}, "budget.max_cost_per_day", "must be more than 0"),
    (AdvancedOptions, {"budget": {"max_cost_per_day": "5"}}, "budget.max_cost_per_day", "must be a number"),
    (AdvancedOptions, {"budget": {"max_cost_per_day": float("inf")}}, "budget.max_cost_per_day", "finite"),
    (AdvancedOptions, {"budget": {"max_cost": 1}}, "budget.max_cost", "is not a known field"),
    (AdvancedOptions, {"budget": {"on_exceeded": "cry"}}, "budget.on_exceeded", "must be one of"),
    (AdvancedOptions, {"summary": {"after_messages": 3}}, "summary.after_messages", "must be 4 or more"),
    (AdvancedOptions, {"summary": True}, "summary", "must be an object"),
    (AdvancedOptions, {"receipts": {"mode": "maybe"}}, "receipts.mode", "must be one of"),
    (AdvancedOptions, {"web_search": {"provider": "x"}}, "web_search.provider", "must be"),
    (AdvancedOptions, {"web_search": {"max_results": 21}}, "web_search.max_results", "must be 20 or less"),
    (AdvancedOptions, {"web_search": {"allowed_domains": ["http://a.com"]}}, "web_search.allowed_domains.0", "domain"),
    (AdvancedOptions, {"web_search": {"allowed_domains": ["a.com"] * 51}}, "web_search.allowed_domains", "at most 50"),
    (InternalTools, {"find_contact": True}, "find_contact", "is not a known field"),
    (InternalTools, {"tools": {"fly": True}}, "tools.fly", "is not a known tool key"),
    (InternalTools, {"tools": {"find_contact": "yes"}}, "tools.find_contact", "must be true, false or an object"),
    (InternalTools, {"tools": {"find_contact": {"scope": "own"}}}, "tools.find_contact.enabled", "is required"),
    (InternalTools, {"tools": {"find_contact": {"enabled": True, "scope": "all"}}}, "tools.find_contact.scope", "one"),
    (ScheduleConfig, {"enabled": "yes"}, "enabled", "must be true or false"),
    (ScheduleConfig, {"weekly": [{"days": [], "from": "09:00", "to": "10:00"}]}, "weekly.0.days", "at least 1 item"),
    (ScheduleConfig, {"weekly": [{"days": ["monday"], "from": "09:00", "to": "10:00"}]}, "weekly.0.days.0", "one of"),
    (ScheduleConfig, {"weekly": [{"days": ["mon"], "from": "9:00", "to": "10:00"}]}, "weekly.0.from", "HH:MM"),
    (ScheduleConfig, {"weekly": [{"days": ["mon"], "from": "09:00", "to": "24:01"}]}, "weekly.0.to", "HH:MM"),
    (ScheduleConfig, {"weekly": [{"days": ["mon"], "from": "24:00", "to": "10:00"}]}, "weekly.0", "before 24:00"),
    (ScheduleConfig, {"weekly": [{"days": ["mon"], "from": "09:00"}]}, "weekly.0.to", "is required"),
    (ScheduleConfig, {"exceptions": [{"date": "2026-02-30", "closed": True}]}, "exceptions.0.date", "YYYY-MM-DD"),
    (ScheduleConfig, {"exceptions": [{"date": "2026-02-20"}]}, "exceptions.0", "at least one range"),
    (ScheduleConfig, {"out_of_schedule": {"action": "message"}}, "out_of_schedule", "must have a message"),
    (ScheduleConfig, {"out_of_schedule": {"action": "call"}}, "out_of_schedule.action", "one of"),
    (ScheduleConfig, [], "", "must be an object"),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "value", "path", "sentence"), WRONG)
def test_a_wrong_member_is_named_with_its_path(shape, value, path, sentence) -> None:
    with pytest.raises(Invalid) as refused:
        read(shape, value, "section")
    full = f"section.{path}" if path else "section"
    assert sentence in refused.value.errors[full]


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        read(ResponseConfig, {"mode": 1, "max_messages": 99, "extra": 1}, "response_config")
    assert set(refused.value.errors) == {f"response_config.{name}" for name in ("mode", "max_messages", "extra")}


def test_true_is_short_for_enabled() -> None:
    tools = read(InternalTools, {"tools": {"find_contact": True, "get_notes": False}}, "internal_tools")
    assert switch_of(tools, "find_contact", "conversation").enabled
    assert not switch_of(tools, "get_notes", "conversation").enabled
    assert not switch_of(tools, "add_note", "conversation").enabled


@pytest.mark.parametrize(
    ("kind", "scope"),
    [("conversation", "own"), ("support-ticket", "own"), ("voice", "own"), ("ai-chat", "organization")],
)
def test_the_scope_follows_the_type_of_the_assistant(kind, scope) -> None:
    tools = read(InternalTools, {"tools": {"find_contact": True}}, "internal_tools")
    assert switch_of(tools, "find_contact", kind).scope == scope


@pytest.mark.parametrize("name", ["America/Bogota", "Europe/Madrid", "UTC", "America/Argentina/Buenos_Aires"])
def test_an_iana_zone_is_accepted(name) -> None:
    assert check_timezone(name) == name


@pytest.mark.parametrize(
    "name", ["", "Bogota", "EST", "GMT+5", "../etc/passwd", "/etc/localtime", "Mars/Base", "America"]
)
def test_anything_else_is_no_zone(name) -> None:
    with pytest.raises(ValueError, match="IANA"):
        check_timezone(name)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_schema_stands_alone(name) -> None:
    assert "$ref" not in str(json_schema(SECTIONS[name]))
