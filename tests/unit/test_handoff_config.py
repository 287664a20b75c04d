"""The shapes of both hand-offs: every wrong member is named by its path, contradictions are told."""

import pytest

from frontdesk.assistants.assistant_handoff_config import AssistantHandoffConfig, cycle_through
from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.handoff_config import HumanHandoffConfig, Keywords
from frontdesk.assistants.handoff_warnings import handoff_warnings
from frontdesk.assistants.section import faults

ASK = {"id": "r1", "type": "customer_request"}
WORDS = {"id": "r2", "type": "keywords", "keywords": ["lawyer"]}


def rule(**members):
    return {"rules": [{"id": "r1", **members}]}


MANY = {
    "rules": [{"id": "r1", "type": "keywords", "match": "regex", "keywords": [f"a{i}" for i in range(101)]}],
}
WRONG = [
    (HumanHandoffConfig, {"enabled": 1}, "enabled", "must be true or false"),
    (HumanHandoffConfig, {"back": {}}, "back", "is not a known field"),
    (HumanHandoffConfig, {"rules": [3]}, "rules.0", "must be an object"),
    (HumanHandoffConfig, {"rules": [ASK] * 51}, "rules", "at most 50 items"),
    (HumanHandoffConfig, {"rules": [ASK, ASK]}, "", "different ids"),
    (HumanHandoffConfig, rule(), "rules.0.type", "is required"),
    (HumanHandoffConfig, rule(type="angry", mood=1), "rules.0.type", "must be one of"),
    (HumanHandoffConfig, rule(type="customer_request", count=3), "rules.0.count", "is not a known field"),
    (HumanHandoffConfig, rule(type="condition"), "rules.0.description", "is required"),
    (HumanHandoffConfig, rule(type="keywords", keywords=[]), "rules.0.keywords", "at least 1 item"),
    (HumanHandoffConfig, rule(type="keywords", keywords=["a", 4]), "rules.0.keywords.1", "must be a text"),
    (HumanHandoffConfig, rule(type="keywords", keywords=["a", "?!"]), "rules.0.keywords", "number 2"),
    (HumanHandoffConfig, rule(type="keywords", match="regex", keywords=["("]), "rules.0.keywords", "regular"),
    (HumanHandoffConfig, rule(type="keywords", match="regex", keywords=["a(?=b)"]), "rules.0.keywords", "look-ahead"),
    (HumanHandoffConfig, rule(type="keywords", match="like", keywords=["a"]), "rules.0.match", "must be one of"),
    (HumanHandoffConfig, MANY, "", "at most 1000 keywords and 100 regular expressions"),
    (HumanHandoffConfig, rule(type="no_answer", after_turns=0), "rules.0.after_turns", "must be 1 or more"),
    (HumanHandoffConfig, rule(type="tool_failure", after_failures=21), "rules.0.after_failures", "20 or less"),
    (HumanHandoffConfig, rule(type="message_count"), "rules.0.count", "is required"),
    (HumanHandoffConfig, rule(type="attachment", kinds=["smoke"]), "rules.0.kinds.0", "must be one of"),
    (HumanHandoffConfig, {"rules": [{**ASK, "id": "r 1"}]}, "rules.0.id", "letters"),
    (HumanHandoffConfig, {"target": {"type": "user"}}, "target", "must have user_ids"),
    (HumanHandoffConfig, {"target": {"type": "team"}}, "target", "must have team_id"),
    (HumanHandoffConfig, {"target": {"type": "user", "user_ids": [7, 7]}}, "target.user_ids", "each user once"),
    (HumanHandoffConfig, {"target": {"strategy": "loud"}}, "target.strategy", "must be one of"),
    (HumanHandoffConfig, {"return": {"mode": "after_inactivity"}}, "return", "must have after_minutes"),
    (HumanHandoffConfig, {"return": {"after_minutes": 0}}, "return.after_minutes", "must be 1 or more"),
    (HumanHandoffConfig, {"customer_message": ""}, "customer_message", "at least 1 character"),
    (AssistantHandoffConfig, {"max_hops": 11}, "max_hops", "10 or less"),
    (AssistantHandoffConfig, {"targets": [{"assistant_id": 1}]}, "targets.0.when", "is required"),
    (AssistantHandoffConfig, {"targets": [{"assistant_id": 1, "when": "x"}] * 2}, "targets", "each assistant once"),
    (AssistantHandoffConfig, {"targets": [{"assistant_id": 1, "when": "x", "share": "a"}]}, "targets.0.share", "full"),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "value", "path", "said"), WRONG)
def test_a_wrong_member_is_named(shape, value, path, said) -> None:
    found = [(fault.path, fault.message) for fault in faults(shape, value, "at")]
    assert [fault[0] for fault in found] == [f"at.{path}".rstrip(".")]
    assert said in found[0][1]


HITS = [
    ("word", "lawyer", "I call my LAWYER!", True),
    ("word", "lawyer", "Two lawyers", False),
    ("word", "médico de guardia", "Quiero el Medico  de guardia, ya", True),
    ("contains", "lawyer", "Two lawyers", True),
    ("contains", "lawyer", "law yer", False),
    ("regex", r"\border\s*#?\d{4}", "Where is order #1234?", True),
    ("regex", r"^quiero", "yo quiero", False),
]


@pytest.mark.parametrize(("match", "keyword", "text", "expected"), HITS)
def test_keywords(match, keyword, text, expected) -> None:
    rule = Keywords.model_validate({"id": "k", "type": "keywords", "match": match, "keywords": ["zzz", keyword]})
    assert rule.hit(text) == (keyword if expected else None)


def test_a_regular_expression_that_explodes_elsewhere_is_linear_here() -> None:
    rule = Keywords.model_validate({"id": "k", "type": "keywords", "match": "regex", "keywords": ["(a+)+$"]})
    assert rule.hit("a" * 50_000 + "b") is None


def test_without_a_target_it_is_the_queue() -> None:
    assert HumanHandoffConfig.model_validate({"target": None}).target.type == "queue"


def codes(assistant_type="conversation", **members):
    shape = {"enabled": True, "rules": [ASK], **members}
    config = AssistantConfig(
        1, 1, assistant_type=assistant_type, human_handoff=HumanHandoffConfig.model_validate(shape)
    )
    return [
        (warning["field"].removeprefix("human_handoff_config"), warning["code"]) for warning in handoff_warnings(config)
    ]


CONTRADICTIONS = [
    ({}, []),
    ({"enabled": False, "rules": []}, []),
    ({"rules": []}, [(".rules", "handoff_without_rules")]),
    ({"assistant_type": "ai-chat"}, [("", "handoff_not_for_type")]),
    ({"rules": [ASK, {**ASK, "id": "r3"}]}, [(".rules.1", "rules_overlap")]),
    ({"rules": [WORDS, {**WORDS, "id": "r3", "keywords": ["Lawyer"]}]}, [(".rules.1", "rules_overlap")]),
    ({"rules": [WORDS, {**WORDS, "id": "r3", "match": "contains"}]}, []),
    ({"silent": True, "customer_message": "Bye."}, [(".customer_message", "message_unused")]),
    ({"out_of_schedule_message": "Closed."}, [(".out_of_schedule_message", "message_unused")]),
    ({"return": {"after_minutes": 5}}, [(".return.after_minutes", "minutes_unused")]),
    ({"target": {"type": "queue", "team_id": 3}}, [(".target.team_id", "target_unused")]),
]


@pytest.mark.parametrize(("members", "expected"), CONTRADICTIONS)
def test_a_contradiction_is_told(members, expected) -> None:
    assert codes(**members) == expected


CYCLES = [
    ({1: [2], 2: [3], 3: []}, None),
    ({1: [2], 2: [1]}, [1, 2, 1]),
    ({1: [2, 4], 2: [3], 3: [2], 4: [5], 5: [1]}, [1, 4, 5, 1]),
    ({2: [3], 3: [2]}, None),
]


@pytest.mark.parametrize(("targets", "way"), CYCLES)
def test_cycles_are_found_through_others(targets, way) -> None:
    assert cycle_through(1, targets) == way
