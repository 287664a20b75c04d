"""Guided and advanced mode: which text is in force, and how the other one is kept for the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from frontdesk.assistants.config import MAX_INSTRUCTIONS, Language
from frontdesk.assistants.guided import render
from frontdesk.assistants.guided_config import EasyModeConfig
from frontdesk.assistants.section import default_of, read
from frontdesk.core.errors import Fault, Invalid, Json

MODE_FIELDS = ("is_easy_mode", "easy_mode_config", "instructions", "instructions_language")


@dataclass(frozen=True, slots=True)
class Mode:
    """Both texts and the form, whichever of the two modes is on. None: there was never one."""

    is_guided: bool = False
    language: Language = "ENG"
    form: Json = None
    guided: str | None = None
    advanced: str | None = None

    @property
    def columns(self) -> dict[str, Json]:
        """As the record stores it: the mode in force in the published fields, the other one kept beside them."""
        mine, other = (self.guided, self.advanced) if self.is_guided else (self.advanced, self.guided)
        return {
            "is_easy_mode": self.is_guided,
            "instructions_language": self.language,
            "instructions": mine or "",
            "easy_mode_config": self.form if self.is_guided else None,
            "kept_instructions": other,
            "kept_easy_mode_config": None if self.is_guided else self.form,
        }


def mode_of(record: Mapping[str, Json]) -> Mode:
    """The stored mode; `record` has the two kept columns as well."""
    is_guided = record["is_easy_mode"] is True
    mine, other = (
        None if value is None else str(value) for value in (record["instructions"], record["kept_instructions"])
    )
    return Mode(
        is_guided=is_guided,
        language="ESP" if record["instructions_language"] == "ESP" else "ENG",
        form=record["easy_mode_config" if is_guided else "kept_easy_mode_config"],
        guided=mine if is_guided else other,
        advanced=other if is_guided else mine,
    )


def change_mode(sent: Mapping[str, Json], before: Mode | None) -> Mode:
    """The mode after a POST (`before` None) or a PATCH. Raises `Invalid` for a form that renders too long.

    A change of the form, the mode or the language renders the text anew, unless `instructions` is sent as well; the
    mode alone brings back the text that was kept.
    """
    old = before or Mode()
    is_guided = sent["is_easy_mode"] is True if "is_easy_mode" in sent else old.is_guided
    language: Language = "ESP" if sent.get("instructions_language", old.language) == "ESP" else "ENG"
    form = _form(sent, old, is_guided)
    rewords = language != old.language or ("easy_mode_config" in sent and form != old.form)
    guided, advanced = old.guided, old.advanced
    if not is_guided:
        # The next guided text has to follow the new form or language.
        guided = None if rewords and before is not None else guided
        advanced = (
            str(sent["instructions"] or "")
            if "instructions" in sent
            else advanced
            if advanced is not None
            else old.guided
        )
    elif "instructions" in sent:
        guided = str(sent["instructions"] or "")
    elif guided is None or rewords or (sent.get("easy_mode_config") is not None):
        # A form that is sent renders even when it is the stored one: the same form always gives the same text.
        guided = _rendered(form, language)
    return Mode(is_guided, language, form, guided, advanced)


def _form(sent: Mapping[str, Json], old: Mode, is_guided: bool) -> Json:
    """Null is what advanced mode reads, so it resets the form only within guided mode."""
    value = sent.get("easy_mode_config")
    if value is not None:
        return value
    is_reset = "easy_mode_config" in sent and old.is_guided and is_guided
    if is_reset or (is_guided and old.form is None):
        return default_of(EasyModeConfig)
    return old.form


def _rendered(form: Json, language: Language) -> str:
    text = render(read(EasyModeConfig, form, "easy_mode_config"), language)
    if len(text) > MAX_INSTRUCTIONS:
        message = f"makes instructions of {len(text)} characters; at most {MAX_INSTRUCTIONS} are possible"
        raise Invalid([Fault("easy_mode_config", "maxLength", message, limit=MAX_INSTRUCTIONS)])
    return text
