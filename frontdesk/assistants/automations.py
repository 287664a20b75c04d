"""`access_permissions_automations`: which automations the assistant may start, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from frontdesk.assistants.section import Entries, Section, clean
from frontdesk.core.errors import Json

MOST_AUTOMATIONS = 100
Guidance = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(clean)]


class AutomationUse(Section):
    """`when` tells the model in which case it may start the automation."""

    automation_id: Annotated[int, Field(ge=1, le=2**63 - 1)]
    when: Guidance = ""


def _each_once(uses: list[AutomationUse]) -> list[AutomationUse]:
    ids = [use.automation_id for use in uses]
    for id in ids:
        if ids.count(id) > 1:
            raise ValueError(f"must name each automation once; {id} is named {ids.count(id)} times")
    return uses


class Automations(Entries[AutomationUse]):
    """An automation that is not named is never started."""

    root: Annotated[list[AutomationUse], Field(max_length=MOST_AUTOMATIONS), AfterValidator(_each_once)]


def automation_warnings(automations: Automations) -> Iterator[dict[str, Json]]:
    """There are no automations to look the ids up in yet, so each is kept as it was sent."""
    for i, use in enumerate(automations.root):
        message = f"Automations are not available in this version: {use.automation_id} is stored and never started."
        yield {"field": f"access_permissions_automations.{i}", "code": "automation_not_available", "message": message}
