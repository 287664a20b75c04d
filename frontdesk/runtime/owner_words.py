"""Why nobody owns a conversation, or why no assistant takes it, in plain words: the codes of its record."""

from __future__ import annotations

from frontdesk.assistants.config import Language
from frontdesk.runtime.failure_words import FAILURES, place
from frontdesk.runtime.handoff_words import WHY, why

_OWNERS: dict[str, tuple[str, str]] = {
    "takeover": ("a person took it", "una persona la tomó"),
    "handoff": ("it was handed over", "se entregó"),
    "owner_left": ("who had it left the organization", "quien la llevaba dejó la organización"),
    "handoff_queue": ("it waits in the queue", "espera en la cola"),
    "handoff_team": ("it waits for its team", "espera a su equipo"),
    "handoff_team_deleted": ("its team was deleted", "su equipo se eliminó"),
    "handoff_nobody_available": ("nobody was available", "no había nadie disponible"),
}


def owner_words(code: str, language: Language) -> str:
    """What a person wrote there instead of a code stays as it is."""
    if code in _OWNERS:
        return _OWNERS[code][place(language)]
    if code in FAILURES or code in WHY or code.startswith("budget_"):
        return why(code, language)
    return code


def cause_words(cause: str, language: Language) -> str:
    """`handoff_reason`: the code in words, and behind it what it matched or what the model wrote."""
    code, _, detail = cause.partition(": ")
    known = code in FAILURES or code in WHY or code.startswith("budget_")
    words = why(code, language) if known else code
    return f"{words}: {detail}" if detail else words
