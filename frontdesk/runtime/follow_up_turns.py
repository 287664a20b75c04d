"""The turn that writes a follow-up: no inbound waits for it, it changes nothing, and its silence is no fault."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from frontdesk.assistants.config import AssistantConfig, Language
from frontdesk.assistants.follow_up_endings import end, not_sent
from frontdesk.assistants.json_keys import JsonKeys
from frontdesk.core.database import Connection
from frontdesk.runtime import outbox, turns
from frontdesk.runtime.history import StoredMessage
from frontdesk.runtime.signs import quiet
from frontdesk.runtime.turns import Turn

NO_FOLLOW_UP = "NO_FOLLOW_UP"  # what the model answers where the conversation needs none
FIRST_MESSAGE = """
    SELECT min(message_id) FROM outbox WHERE organization_id = $1 AND conversation_id = $2 AND ai_turn_id = $3
        AND status = 'sent'
"""
ASKED = "SELECT rule_id, answered_at FROM ai_follow_ups WHERE organization_id = $1 AND id = $2"

_TASK: dict[Language, str] = {
    "ENG": """## Now: a follow-up
- The customer has not answered your last message. You write to them once more; they have asked nothing new.
- What it is about, in the words of the business: {instructions}
- One short, friendly message in the language of the conversation. Do not repeat your last message, do not greet anew,
  do not say that you are a reminder, and do not promise or claim anything that no tool has done.
- If it would only be a nuisance (the customer has said goodbye, has refused, or nothing is open), answer with nothing
  but {nothing}.""",
    "ESP": """## Ahora: un seguimiento
- El cliente no ha respondido a tu último mensaje. Le escribes una vez más; no ha preguntado nada nuevo.
- De qué trata, en palabras del negocio: {instructions}
- Un mensaje breve y amable en el idioma de la conversación. No repitas tu último mensaje, no saludes de nuevo, no digas
  que eres un recordatorio y no prometas ni afirmes nada que ninguna herramienta haya hecho.
- Si solo fuera una molestia (el cliente se despidió, se negó, o no queda nada pendiente), responde solo con
  {nothing}.""",
}
_USUAL: dict[Language, str] = {
    "ENG": "ask whether they still need help with what was talked about",
    "ESP": "pregunta si aún necesita ayuda con lo hablado",
}
_CUE: dict[Language, str] = {
    "ENG": "The customer has not answered for {minutes} minutes. Write the follow-up now.",
    "ESP": "El cliente lleva {minutes} minutos sin responder. Escribe ahora el seguimiento.",
}


@dataclass(frozen=True, slots=True)
class Task:
    """What the model is told: `prompt` by the system, `cue` behind the last message, so that there is something to
    answer."""

    prompt: str
    cue: StoredMessage


def only_reading(config: AssistantConfig) -> AssistantConfig:
    """The configuration of such a turn: nobody asked for it, so it changes nothing and gives no values."""
    return replace(config, only_reads=True, json_keys=JsonKeys([]))


def is_declined(text: str) -> bool:
    return NO_FOLLOW_UP in text.upper().replace(" ", "_").replace("-", "_")


async def task_of(connection: Connection, turn: Turn, config: AssistantConfig, now: datetime) -> Task | None:
    """What the turn is for; None of one that answers."""
    if turn.ai_follow_up_id is None:
        return None
    row = await connection.fetchrow(ASKED, turn.organization_id, turn.ai_follow_up_id)
    assert row is not None
    rule, language = config.follow_up.rule(row["rule_id"]), config.instructions_language
    wanted = (rule.instructions if rule is not None else None) or _USUAL[language]
    minutes = round((now - row["answered_at"]).total_seconds() / 60)
    cue = StoredMessage(turn.last_position + 1, "system", _CUE[language].format(minutes=minutes), now)
    return Task(_TASK[language].format(instructions=wanted, nothing=NO_FOLLOW_UP), cue)


async def settle(connection: Connection, turn: Turn, reason: str, now: datetime) -> None:
    """The turn ends, and with it the follow-up: sent where any part of it was."""
    assert turn.ai_follow_up_id is not None
    where = (turn.organization_id, turn.conversation_id, turn.id)
    sent, unknown, failed = await outbox.counts(connection, *where)
    if sent:
        message_id = await connection.fetchval(FIRST_MESSAGE, *where)
        await end(connection, turn.organization_id, [turn.ai_follow_up_id], "sent", "sent", now, message_id=message_id)
        return
    status = "unknown" if unknown else "failed" if failed else "withdrawn"
    await not_sent(connection, turn.organization_id, turn.ai_follow_up_id, status, reason, now)


async def give_up(connection: Connection, turn: Turn, code: str, now: datetime, error: str, *, is_budget: bool) -> None:
    """The model failed for good. The customer waits for nothing, so there is no line and no hand-off."""
    assert turn.ai_follow_up_id is not None
    reason = "budget_spent" if is_budget else "model_failed"
    ending = "cancelled" if is_budget else "failed"
    await end(connection, turn.organization_id, [turn.ai_follow_up_id], ending, reason, now)  # type: ignore[arg-type]
    await turns.end(connection, turn, code, now, error)
    await quiet(connection, turn)
