"""The rules of a hand-off that need no model, whom it goes to, and what counts as no progress."""

import pytest

from frontdesk.assistants.handoff_config import HumanHandoffConfig
from frontdesk.runtime.facts import Facts
from frontdesk.runtime.handoff_rules import first_match
from frontdesk.runtime.handoff_targets import Candidate, pick
from frontdesk.runtime.progress import Attempt, is_at_a_loss, without_progress
from frontdesk.runtime.tool_failures import failures_in_a_row

RULES = [
    {"id": "k", "type": "keywords", "keywords": ["lawyer"]},
    {"id": "a", "type": "attachment", "kinds": ["image", "audio"]},
    {"id": "m", "type": "message_count", "count": 3},
    {"id": "n", "type": "no_answer", "after_turns": 2},
]
MATCHES = [
    (Facts(inbound_texts=("Hello", "my lawyer")), ("k", "lawyer", 0)),
    (Facts(inbound_types=("text", "audio")), ("a", "audio", 1)),
    (Facts(inbound_types=("video",)), None),
    (Facts(message_count=3), ("m", "3", 2)),
    (Facts(message_count=2), None),
    (Facts(turns_without_progress=2), ("n", "2", 3)),
    (Facts(turns_without_progress=9, inbound_texts=("lawyer",)), ("k", "lawyer", 0)),
]


@pytest.mark.parametrize(("facts", "expected"), MATCHES)
def test_the_first_rule_that_matches(facts, expected) -> None:
    found = first_match(HumanHandoffConfig.model_validate({"enabled": True, "rules": RULES}), facts)
    assert (found and (found.rule_id, found.detail, found.index)) == expected


def test_switched_off_nothing_matches() -> None:
    handoff = HumanHandoffConfig.model_validate({"rules": RULES})
    assert first_match(handoff, Facts(message_count=99)) is None


AT_A_LOSS = [
    "I don't know.", "I’m afraid I don't have that information.", "Sorry, I can't help with that.",
    "I couldn't find your order.", "I'm unable to do this.", "I do not have any details about it.",
    "No lo sé.", "Lo siento, no tengo esa información.", "No puedo ayudarte con eso.", "No he encontrado tu pedido.",
    "No te puedo decir el precio.", "Lo desconozco.",
]  # fmt: skip
OF_USE = [
    "You don't know the price? It is 60 €.", "We open at nine.", "I know him well.", "No se preocupe, abrimos a las 9.",
    "Puedo ayudarte con eso.", "No hay problema, queda reservado.", "I can help with that.",
]  # fmt: skip


@pytest.mark.parametrize("answer", AT_A_LOSS)
def test_an_answer_that_is_none(answer) -> None:
    assert is_at_a_loss(answer)


@pytest.mark.parametrize("answer", OF_USE)
def test_an_answer_that_is_one(answer) -> None:
    assert not is_at_a_loss(answer)


STALLED = [
    ([], 0),
    ([Attempt("We open at nine.")], 0),
    ([Attempt("I don't know."), Attempt("I can't help."), Attempt("We open at nine.")], 2),
    ([Attempt("We open at nine!"), Attempt("We open at nine.")], 1),
    ([Attempt(None)], 1),
    ([Attempt("I don't know.", has_changed=True), Attempt("I don't know.")], 0),
]


@pytest.mark.parametrize(("newest_first", "count"), STALLED)
def test_turns_in_a_row_without_progress(newest_first, count) -> None:
    assert without_progress(newest_first) == count


FAILED = [
    ([], (0, False)),
    (["failed", "unknown"], (2, False)),
    (["failed", "refused", "failed", "done", "failed"], (2, True)),
    (["done", "failed"], (0, True)),
]


@pytest.mark.parametrize(("statuses", "expected"), FAILED)
def test_failures_in_a_row(statuses, expected) -> None:
    assert failures_in_a_row(statuses) == expected


ANA, BEN, EVA = Candidate(1, 1, 30, 5), Candidate(2, 2, 10, 5), Candidate(3, 3, None, 9)
PICKS = [
    ("fixed", [BEN, ANA, EVA], 1),
    ("round_robin", [ANA, BEN, EVA], 3),
    ("round_robin", [ANA, BEN], 2),
    ("least_busy", [ANA, BEN, EVA], 2),
    ("least_busy", [EVA], 3),
]


@pytest.mark.parametrize(("strategy", "candidates", "user_id"), PICKS)
def test_each_strategy_picks(strategy, candidates, user_id) -> None:
    found = pick(candidates, strategy)
    assert found is not None
    assert found.user_id == user_id


def test_nobody_there_is_nobody_picked() -> None:
    assert pick([], "round_robin") is None
