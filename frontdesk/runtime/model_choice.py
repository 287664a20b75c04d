"""Which model answers a turn: the assistant's own or, where it fails, the next of its fallbacks.

It is decided per turn and stored with it, so that a resumed run goes on with the same model. A model that cannot be
asked at all (deleted, no key for it) is passed over with a note in the trace.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import cast

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.no_model import NoModel
from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.model_failure import (
    MOST_RESUMPTIONS,
    BudgetSpent,
    Failure,
    TurnExhausted,
    Verdict,
    judge,
    sentence,
)
from frontdesk.runtime.model_source import ModelSource, ResolvedModel
from frontdesk.runtime.turns import Turn

NOTE_FAILURE = """
    UPDATE ai_turns SET fallback_ai_model_id = $4, model_failures = $5, model_trials = $6
    WHERE organization_id = $1 AND id = $2 AND lease_token = $3
"""
# The turn gave up, and not for what its model did.
OF_THE_TURN = frozenset(("no_model", "no_key", "too_many_tool_calls", "claim_without_receipt", "internal_error"))


def order_of(config: AssistantConfig) -> tuple[int | None, ...]:
    """The models in the order in which they are asked: the assistant's own first, each once."""
    return tuple(dict.fromkeys((config.ai_model_id, *config.options.fallback_ai_model_ids)))


def chosen_id(held: HeldTurn) -> int | None:
    """The model that the turn is with now."""
    return held.config.ai_model_id if held.turn.fallback_ai_model_id is None else held.turn.fallback_ai_model_id


async def choose(models: ModelSource, held: HeldTurn) -> ResolvedModel:
    """The model that is asked now. Raises `NoModel` where none of those that are left can be."""
    order, now = order_of(held.config), chosen_id(held)
    left = order[order.index(now) if now in order else 0 :]
    missing: NoModel | None = None
    for id in left:
        try:
            resolved = await models.resolve(replace(held.config, ai_model_id=id))
        except NoModel as error:
            # The first one says it best: it is the assistant's own model, or the one that the turn was with.
            missing = missing or error
            held.model_trials.append(_trial(id, "skipped", error.reason, str(error)))
            continue
        await _take(held, id, resolved)
        return resolved
    assert missing is not None
    if len(left) < len(order):
        raise NoModel("None of the models that are left can be asked.", "model_failed") from missing
    raise missing


async def _take(held: HeldTurn, id: int | None, resolved: ResolvedModel) -> None:
    fallback = None if id == held.config.ai_model_id else id
    if fallback is not None or len(held.model_trials) > len(trials_of(held.turn)):
        await held.chose(fallback, resolved.facts)
    facts = resolved.facts
    held.answering = (id, str(facts.get("label") or resolved.model.model_name))
    # What the model can do rules its tools as the configuration does, with the same words in the trace.
    held.config = replace(held.config, model_takes_tools=resolved.takes_tools)


async def verdict_of(models: ModelSource, held: HeldTurn, failure: Failure) -> Verdict:
    """What is done about a failure: again, the next model, or the end. Only a model that can be asked is a next one."""
    attempts, order, now = (held.turn.model_failures or 0) + 1, order_of(held.config), chosen_id(held)
    tried = {trial["ai_model_id"] for trial in held.model_trials if trial["outcome"] != "shortened"}
    rest = [id for id in order[order.index(now) + 1 :] if id not in tried] if now in order else []
    verdict, skipped = judge(failure, attempts, has_next=bool(rest)), list[dict[str, Json]]()
    if verdict.falls_back:
        held.next_model_id = await _next(models, held, rest, skipped)
        verdict = judge(failure, attempts, has_next=held.next_model_id is not None)
    is_of_model = verdict.code not in OF_THE_TURN and not isinstance(failure, BudgetSpent)
    if verdict.falls_back or (verdict.pause is None and is_of_model):
        held.model_trials.append(_trial(now, "failed", verdict.code, sentence(failure), attempts))
    held.model_trials += skipped
    return verdict


async def _next(
    models: ModelSource, held: HeldTurn, rest: list[int | None], skipped: list[dict[str, Json]]
) -> int | None:
    """The first of `rest` that can be asked; those before it are noted in `skipped`."""
    for id in rest:
        try:
            await models.resolve(replace(held.config, ai_model_id=id))
        except NoModel as missing:
            skipped.append(_trial(id, "skipped", missing.reason, str(missing)))
        else:
            return id
    return None


async def note_shortening(held: HeldTurn, note: str) -> None:
    """Write down that the request was too long for the model, which is asked again."""
    held.model_trials.append(_trial(chosen_id(held), "shortened", "context_too_long", note))
    await held.keep_trials()


async def note_failure(connection: Connection, held: HeldTurn, verdict: Verdict) -> None:
    """Write down that the model failed, and turn to the next one where the verdict says so."""
    turn, failures, fallback = held.turn, (held.turn.model_failures or 0) + 1, held.turn.fallback_ai_model_id
    if verdict.falls_back:
        fallback, failures = held.next_model_id, 0
    trials = json.dumps(held.model_trials) if held.model_trials else None
    await connection.execute(NOTE_FAILURE, turn.organization_id, turn.id, turn.lease_token, fallback, failures, trials)


def check_runs(turn: Turn) -> None:
    """A turn that takes its process down with it must end too; runs that a model failed, and waits for a person,
    are no such runs.
    Raises `TurnExhausted`."""
    failed = (turn.model_failures or 0) + sum(cast(int, trial.get("failures", 0)) for trial in trials_of(turn))
    if turn.attempts - failed - (turn.approval_waits or 0) > MOST_RESUMPTIONS:
        raise TurnExhausted(f"no end after {MOST_RESUMPTIONS} resumptions")


def trials_of(turn: Turn) -> list[dict[str, Json]]:
    """The models that were asked or passed over before."""
    return cast("list[dict[str, Json]]", json.loads(turn.model_trials or "[]"))


def _trial(id: int | None, outcome: str, reason: str, note: str, failures: int = 0) -> dict[str, Json]:
    return {"ai_model_id": id, "outcome": outcome, "reason": reason, "note": note[:500], "failures": failures}
