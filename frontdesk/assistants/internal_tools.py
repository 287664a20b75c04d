"""`internal_tools`: which of the tool keys the assistant may use, and how far each reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from frontdesk.assistants.section import Section
from frontdesk.assistants.tool_keys import TOOL_KEYS

Approval = Literal["never", "always"]
Reach = Literal["own", "organization"]


class ToolSwitch(Section):
    """`scope` left out takes the default of the assistant's type (`default_scope`)."""

    enabled: bool
    approval: Approval = "never"
    scope: Reach | None = None


def _short(value: object) -> object:
    """`true` is short for `{"enabled": true}`."""
    if isinstance(value, bool):
        return {"enabled": value}
    # Told here, because pydantic would speak of a model that the sender does not know.
    if not isinstance(value, dict | ToolSwitch):
        raise ValueError("must be true, false or an object with enabled, approval and scope")
    return value


def _known(key: str) -> str:
    if key not in TOOL_KEYS:
        raise ValueError("is not a known tool key")
    return key


class InternalTools(Section):
    """A key that is left out is off."""

    tools: dict[
        Annotated[str, AfterValidator(_known)],
        Annotated[ToolSwitch, BeforeValidator(_short, json_schema_input_type=bool | ToolSwitch)],
    ] = Field(default_factory=dict)


def default_scope(assistant_type: str) -> Reach:
    """Those who talk to customers reach the customer's own rows; the internal chat reaches what its user may."""
    return "organization" if assistant_type == "ai-chat" else "own"


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch as it works, its default scope filled in."""

    enabled: bool
    approval: Approval
    scope: Reach


def switch_of(tools: InternalTools, key: str, assistant_type: str) -> Switch:
    stored = tools.tools.get(key)
    if stored is None:
        return Switch(False, "never", default_scope(assistant_type))
    return Switch(stored.enabled, stored.approval, stored.scope or default_scope(assistant_type))
