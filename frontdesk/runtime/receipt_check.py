"""Rule 16 at work: a reply that claims what nothing did is asked for once more, then mended, then handed over.

Each outcome is a step of the turn (`kind: check`), committed before anything follows from it, so that a turn that was
killed goes on from it; the words themselves are judged anew where none was committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import structlog
from pydantic_ai.messages import ModelRequest, ModelResponse, RetryFeedbackPart, RetryInfo

from frontdesk.assistants.config import Language
from frontdesk.core.errors import Json
from frontdesk.core.prices import cost_of
from frontdesk.runtime.claim_judge import ask_judge, read_verdict, words_of
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.model_failure import FAILURES, ClaimWithoutReceipt, sentence
from frontdesk.runtime.model_source import ResolvedModel
from frontdesk.runtime.receipt_reading import read_evidence
from frontdesk.runtime.receipts import Doubt, Evidence, doubts, has_claims, without
from frontdesk.runtime.summary_keeping import record
from frontdesk.runtime.tool_history import Status, StoredStep

log = structlog.get_logger(__name__)

MOST_CORRECTIONS = 1  # of one turn
HONEST: dict[Language, str] = {
    "ENG": "I have not been able to do that yet.",
    "ESP": "Eso todavía no lo he podido hacer.",
}
OBJECTION = (
    "This reply cannot be sent: it says “{said}”, and no tool of this conversation has done that. If the customer wants"
    " it and you have a tool for it, call the tool now. If not, answer again without that claim and say plainly that it"
    " has not been done. If you mean what was done earlier, say so and name it."
)


@dataclass(frozen=True, slots=True)
class Again:
    """The model has to answer once more, and is told why."""

    objection: str

    @property
    def request(self) -> ModelRequest:
        return ModelRequest([RetryFeedbackPart(self.objection, retry=RetryInfo(cause="model_retry"))])


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a model answered about the reply, or why it did not."""

    found: Sequence[Doubt]
    response: ModelResponse | None
    fault: str | None = None
    took: int = 0
    cost: Decimal | None = None


def is_checked(held: HeldTurn) -> bool:
    """Whether replies of this turn are checked: what nobody reads needs no receipt."""
    return held.config.options.receipts.mode != "off" and not held.turn.is_muted


def last_check(held: HeldTurn) -> StoredStep | None:
    """What was made of the last answer of the model, if that was committed."""
    last = max(held.steps, key=lambda step: step.position, default=None)
    return last if last is not None and last.kind == "check" else None


def stored_text(held: HeldTurn, text: str) -> str | None:
    """A stored reply as it was settled before; None where it has to be judged, or answered once more.

    Raises `ClaimWithoutReceipt` where it was given up.
    """
    if not is_checked(held):
        return text
    step = last_check(held)
    if step is None or not isinstance(step.result, dict):
        is_settled = held.config.options.receipts.mode == "rules" and not has_claims(text)
        return text if is_settled else None
    if step.result.get("action") == "handed_over":
        raise ClaimWithoutReceipt(str(step.result.get("claim")))
    if step.result.get("action") == "asked_again":
        return None
    return str(step.result.get("reply") or text)


class ReceiptCheck:
    """Of one run of a turn. `resolved` is the model that may be asked for the second check."""

    def __init__(self, held: HeldTurn, resolved: ResolvedModel) -> None:
        self._held, self._resolved = held, resolved

    async def look(self, text: str) -> str | Again:
        """The reply as it may be sent, or what the model is told. Raises `ClaimWithoutReceipt`."""
        held = self._held
        if not is_checked(held):
            return text
        if (step := last_check(held)) is not None and isinstance(step.result, dict) and step.result.get("objection"):
            return Again(str(step.result["objection"]))
        # A small model is not to be trusted with a verdict.
        asks = held.config.options.receipts.mode == "rules_and_model" and not self._resolved.facts.get("is_small")
        if not asks and not has_claims(text):
            return text
        evidence = await read_evidence(held)
        found = doubts(text, evidence)
        judged = await self._judged(text, evidence) if asks and not found else None
        if judged is not None:
            found = list(judged.found)
        if not found:
            if judged is not None:
                await self._keep({"action": "passed"}, judged, "failed" if judged.fault else "done")
            return text
        return await self._settle(text, found, judged)

    async def _settle(self, text: str, found: list[Doubt], judged: _Judged | None) -> str | Again:
        held = self._held
        by = "rules" if judged is None else "model"
        claims: list[Json] = [{"sentence": one.sentence[:500], "kinds": list(one.kinds), "by": by} for one in found]
        said = found[0].sentence.strip()[:300]
        told: dict[str, Json] = {"claims": claims, "claim": said}
        asked = sum(isinstance(s.result, dict) and s.result.get("action") == "asked_again" for s in held.steps
                    if s.kind == "check")  # fmt: skip
        if asked < MOST_CORRECTIONS:
            objection = OBJECTION.format(said=said)
            await self._keep({"action": "asked_again", **told, "objection": objection}, judged, "refused")
            return Again(objection)
        rest = without(text, found, HONEST[held.config.instructions_language])
        if rest is None:
            await self._keep({"action": "handed_over", **told}, judged, "refused")
            raise ClaimWithoutReceipt(said)
        await self._keep({"action": "cut", **told, "reply": rest}, judged, "refused")
        return rest

    async def _judged(self, text: str, evidence: Evidence) -> _Judged:
        """The model's verdict; where it gives none, nothing is found."""
        held, model, before = self._held, self._resolved, self._held.clock.monotonic()
        response: ModelResponse | None = None
        try:
            response = await ask_judge(held, model, text, evidence)
            found, fault = read_verdict(words_of(response), text), None
        except FAILURES as failure:
            log.warning("second check failed", why=sentence(failure), turn=held.turn_id)
            found, fault = [], sentence(failure)
        took = round((held.clock.monotonic() - before) * 1000)
        if response is None:
            return _Judged(found, None, fault, took)
        usage = response.usage
        cost = cost_of(usage.input_tokens, usage.output_tokens, model.price_input, model.price_output)
        return _Judged(found, response, fault, took, cost)

    async def _keep(self, result: dict[str, Json], judged: _Judged | None, status: Status) -> None:
        now = self._held.clock.now()
        if judged is None:
            await record(self._held, None, result, now, 0, None, kind="check", status=status)
            return
        told = {**result, "fault": judged.fault} if judged.fault else result
        await record(
            self._held, judged.response, told, now, judged.took, judged.cost, kind="check", status=status
        )  # fmt: skip


class DraftGate:
    """What of an answer that is being written may be shown: nothing from the first claim without a receipt on."""

    def __init__(self, held: HeldTurn) -> None:
        self._held = held
        self.restart()

    def restart(self) -> None:
        self._read = 0  # characters that were looked at
        self._end: int | None = None  # where the draft stops
        self._evidence: Evidence | None = None

    async def allowed(self, text: str) -> str:
        """The begin of these whole sentences that may be shown."""
        if not is_checked(self._held):
            return text
        if self._held.config.options.receipts.mode == "rules_and_model":
            return ""  # the second check reads the reply when it is whole
        if self._end is None and has_claims(new := text[self._read :]):
            self._evidence = self._evidence or await read_evidence(self._held)
            found = doubts(new, self._evidence)
            self._end = self._read + found[0].start if found else None
        self._read = len(text)
        return text[: self._end]
