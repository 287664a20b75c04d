"""Why it answered or did not, in words: every reason, with the facts that it really has, in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from frontdesk.assistants.advanced_options import AdvancedOptions
from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.follow_up_config import FollowUpConfig
from frontdesk.assistants.follow_up_words import PREFIX
from frontdesk.assistants.handoff_config import HumanHandoffConfig
from frontdesk.assistants.schedule_config import ScheduleConfig
from frontdesk.core.errors import Json
from frontdesk.runtime import sentences
from frontdesk.runtime.endings import ENDINGS
from frontdesk.runtime.facts import Facts
from frontdesk.runtime.failure_words import FAILURES
from frontdesk.runtime.follow_up_checks import Case, check
from frontdesk.runtime.gates import GATES as GATE_ORDER
from frontdesk.runtime.gates import Decision, evaluate
from frontdesk.runtime.sentences import SENTENCES, explain

ROOT = Path(__file__).resolve().parents[2] / "frontdesk"
SUNDAY = datetime(2026, 1, 4, 12, 0, tzinfo=UTC)
EVA = AssistantConfig(1, 1, name="Eva", timezone="America/Bogota")
OURS = Facts(assigned_ai_assistant_id=1, epoch=1)
HOURS = [{"days": ["mon"], "from": "09:00", "to": "18:00"}]


def shut(action: str = "silent", **members: Any) -> AssistantConfig:
    message = {"message": "Closed."} if action == "message" else {}
    out = {"action": action, "once_per_hours": 4, **message}
    schedule = ScheduleConfig.model_validate({"enabled": True, "weekly": HOURS, "out_of_schedule": out})
    return replace(EVA, schedule=schedule, **members)


def budget(**members: Any) -> AssistantConfig:
    return replace(EVA, options=AdvancedOptions.model_validate({"budget": members}))


def hands(**rule: Any) -> AssistantConfig:
    given = {"enabled": True, "rules": [{"id": "r1", **rule}] if rule else []}
    return replace(EVA, human_handoff=HumanHandoffConfig.model_validate(given))


STOP, OVER = {"on_exceeded": "stop"}, {"on_exceeded": "handoff"}
SPENT = replace(OURS, conversation_cost=Decimal(2), assistant_cost_today=Decimal(3))
DAY = replace(OURS, cost_today=Decimal(5), daily_cost_limit=Decimal(5))
TOKENS = replace(OURS, tokens_today=9, daily_token_limit=9)
TALK = replace(OURS, inbound_texts=("my lawyer",), inbound_types=("image",), message_count=9, turns_without_progress=9)
# What makes each gate say each of its reasons; a reason that is missing here fails the test below.
GATES: list[tuple[AssistantConfig | None, Facts]] = [
    (EVA, OURS),
    (EVA, replace(OURS, is_blocked=True)),
    (EVA, replace(OURS, is_staff_chat=True, asker_is_member=False)),
    (EVA, replace(OURS, is_closed=True)),
    (EVA, replace(OURS, assigned_ai_assistant_id=None, assigned_user_id=7)),
    (None, Facts(is_auto_assignment_disabled=True, auto_assignment_disabled_reason="takeover")),
    (None, Facts(owner_reason="owner_left")),
    (replace(EVA, deleted_at=SUNDAY), OURS),
    (shut(), OURS),
    (shut("message"), OURS),
    (shut("message"), replace(OURS, schedule_message_at=SUNDAY - timedelta(hours=1))),
    (shut("message", disable_reply=True), OURS),
    (shut("handoff", human_handoff=hands().human_handoff), OURS),
    (budget(**STOP), DAY),
    (budget(**STOP), TOKENS),
    (budget(**OVER), DAY),
    (budget(**OVER), TOKENS),
    (budget(max_cost_per_conversation=1, **STOP), SPENT),
    (budget(max_cost_per_conversation=1, **OVER), SPENT),
    (budget(max_cost_per_day=1, **STOP), SPENT),
    (budget(max_cost_per_day=1, **OVER), SPENT),
    (hands(type="keywords", keywords=["lawyer"]), TALK),
    (hands(type="message_count", count=3), TALK),
    (hands(type="attachment", kinds=["image"]), TALK),
    (hands(type="no_answer", after_turns=2), TALK),
    (replace(EVA, disable_reply=True), OURS),
    (replace(EVA, disable_reply=True), replace(OURS, is_staff_chat=True)),
]
RULE = {"id": "f1", "after_minutes": 60, "mode": "fixed", "message": "Still there?"}


def reminding(config: AssistantConfig = EVA, **members: Any) -> AssistantConfig:
    follow_up = FollowUpConfig.model_validate({"enabled": True, "rules": [{**RULE, **members}]})
    return replace(config, follow_up=follow_up)


def case(config: AssistantConfig | None, **members: Any) -> tuple[Case, AssistantConfig | None]:
    rule = config.follow_up.rule("f1") if config is not None else None
    facts = members.pop("facts", OURS)
    return replace(Case(1, "f1", 1, 1, "whatsapp", rule, facts), **members), config


NEVER = replace(EVA, schedule=ScheduleConfig.model_validate({"enabled": True, "weekly": []}))
CASES = [
    case(None), case(reminding()), case(reminding(), facts=replace(OURS, is_blocked=True)),
    case(reminding(), is_contact_deleted=True), case(reminding(), facts=replace(OURS, is_closed=True)),
    case(reminding(), facts=replace(OURS, assigned_user_id=3)),
    case(reminding(), facts=replace(OURS, assigned_ai_assistant_id=2)), case(reminding(), current_epoch=2),
    case(reminding(), has_opted_out=True), case(EVA), case(reminding(), last_sender="user"),
    case(reminding(), last_sender="contact"), case(reminding(), sent=3),
    case(reminding(replace(EVA, disable_reply=True))), case(reminding(channels=["sms"])), case(reminding(shut())),
    case(reminding(NEVER)), case(reminding(), is_window_open=False),
    case(reminding(mode="template", template_id=1), channel="sms"), case(reminding(mode="ai"), facts=DAY),
]  # fmt: skip
# The facts that those give who settle a turn at its end, by reason.
ENDS: dict[str, dict[str, Json]] = {
    "waits_for_approval": {"tools": "add_note"},
    "handed_off": {"to_user_id": 4, "cause": "customer_request: wants Marta"},
    "handed_off_after_failure": {"to_team_id": 4, "failure": "model_failed", "error": "500"},
    "handed_off_after_claim": {"failure": "claim_without_receipt"},
    **{code: {"failure": code, "line": "sent"} for code in FAILURES},
    f"{PREFIX}template_unusable": {"detail": "template_id"},
}


def gate_decisions() -> list[Decision]:
    return [evaluate(config, facts, SUNDAY) for config, facts in GATES]


def told() -> Iterator[tuple[str, dict[str, Json]]]:
    """Every reason, with its facts: of the gates from the gates themselves, of all others from the table."""
    reached: dict[str, dict[str, Json]] = {}
    for decision in (*gate_decisions(), *(check(one, config, SUNDAY) for one, config in CASES)):
        reached[decision.reason] = decision.decisive.verdict.facts if decision.decisive else {}
    yield from reached.items()
    for code in sorted((SENTENCES.keys() | ENDINGS.keys()) - reached.keys()):
        yield code, ENDS.get(code, {})
    # What is revoked at the last moment is settled without facts.
    yield from ((code, {}) for code in ("contact_blocked", "assistant_deleted", "reply_disabled", "no_assistant"))


class Strict(dict[str, str]):
    def __missing__(self, key: str) -> str:
        raise AssertionError(f"no fact {key!r}")


@pytest.mark.parametrize(("code", "facts"), [pytest.param(*pair, id=pair[0]) for pair in told()])
def test_no_sentence_lacks_a_fact_or_its_language(
    code: str, facts: dict[str, Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentences, "_Values", Strict)
    english, spanish = explain(code, facts, "ENG"), explain(code, facts, "ESP")
    for said in (english.why, english.would_change, spanish.why, spanish.would_change):
        assert said.endswith(".")
        assert said != code
        assert not re.search(r"[{}]|(?<!\d)–(?!\d)|None", said)
    assert words_of(english.why, english.would_change) & words_of(SPANISH) == set()
    assert words_of(spanish.why, spanish.would_change) & words_of(ENGLISH) == set()


# The little words that no sentence of the language does without, and the nouns of this house.
ENGLISH = """
    the is are was were be been it its of and or not with has have had would will if to for from this that in on by
    but so because answer answered person customer conversation assistant model sent spent budget limit day today
    message schedule contact they their who what nobody nothing again template reminder handed assigned
"""
SPANISH = """
    el la los las un una de del que y o se su sus es está están fue fueron con por para al si así porque respuesta
    respondería persona cliente conversación asistente modelo enviado presupuesto límite día hoy mensaje horario
    contacto quien nadie nada nuevo plantilla recordatorio entregada asignara usuario equipo cola
"""


def words_of(*texts: str) -> set[str]:
    """Without names of settings, paths, and what somebody wrote."""
    plain = re.sub(r"\S*[_/]\S*|\S+\.\S+|“[^”]*”|«[^»]*»|\([^)]*wants Marta\)", " ", " ".join(texts))
    return set(re.findall(r"[a-záéíóúñ']+", plain.lower()))


def codes_in(file: str, name: str, place: int, first: tuple[str, ...] = ()) -> set[str]:
    """The texts that the calls of `name` in a file have at that place, either one of a choice."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        called = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and called == name and len(node.args) > place:
            if first and ast.unparse(node.args[0]).strip("'") not in first:
                continue
            said = node.args[place]
            either = (said.body, said.orelse) if isinstance(said, ast.IfExp) else (said,)
            found |= {one.value for one in either if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return found


def test_every_stop_of_a_gate_is_in_the_table() -> None:
    decisions = gate_decisions()
    assert codes_in("runtime/gates.py", "Verdict", 1, ("stop", "mute")) <= {one.reason for one in decisions}
    assert {one.gate for one in decisions} == {None, *(name for name, _ in GATE_ORDER)}
    reminders = {check(one, config, SUNDAY).reason.removeprefix(PREFIX) for one, config in CASES}
    assert codes_in("runtime/follow_up_checks.py", "_stop", 0) <= reminders


@pytest.mark.parametrize(
    ("file", "name", "place", "prefix"),
    [("delivery", "finish", 2, ""), ("overtaking", "settle", 4, ""), ("held_turn", "settle", 4, ""),
     ("approval_wait", "settle", 4, ""), ("follow_ups", "end", 4, PREFIX), ("follow_ups", "stop", 3, PREFIX),
     ("thread", "stop", 3, PREFIX), ("handoff", "stop", 3, PREFIX), ("passing_on", "stop", 3, PREFIX)],
)  # fmt: skip
def test_every_reason_that_is_written_has_its_sentence(file: str, name: str, place: int, prefix: str) -> None:
    codes = {prefix + code for code in codes_in(f"runtime/{file}.py", name, place)}
    assert codes <= SENTENCES.keys() | ENDINGS.keys()
