"""`api_tools` of an assistant: which of the organization's API tools it may call, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from frontdesk.assistants.internal_tools import Approval
from frontdesk.assistants.section import Entries, Section, clean
from frontdesk.core.errors import Fault, Json

MOST_TOOLS = 100
Guidance = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(clean)]


class ApiToolUse(Section):
    """`when_to_use` stands behind the tool's description in what the model reads."""

    api_tool_id: Annotated[int, Field(ge=1, le=2**63 - 1)]
    enabled: bool = True
    when_to_use: Guidance = ""
    approval: Approval = "never"


def _each_once(uses: list[ApiToolUse]) -> list[ApiToolUse]:
    ids = [use.api_tool_id for use in uses]
    for id in ids:
        if ids.count(id) > 1:
            raise ValueError(f"must name each API tool once; {id} is named {ids.count(id)} times")
    return uses


class ApiTools(Entries[ApiToolUse]):
    """A tool that is not named is not offered."""

    root: Annotated[list[ApiToolUse], Field(max_length=MOST_TOOLS), AfterValidator(_each_once)]


def reference_faults(tools: ApiTools, known: Mapping[int, str]) -> list[Fault]:
    """`known` has the API tools of the organization, deleted ones too: those were there, and give a warning only."""
    return [
        Fault(f"api_tools.{i}.api_tool_id", "reference", "names no API tool that exists", id=use.api_tool_id)
        for i, use in enumerate(tools.root)
        if use.api_tool_id not in known
    ]


def api_tool_warnings(tools: ApiTools, deleted: Mapping[int, str]) -> Iterator[dict[str, Json]]:
    """What is stored of API tools and cannot work; `deleted` has the names of those that are gone."""
    for i, use in enumerate(tools.root):
        if use.api_tool_id in deleted:
            message = f"The API tool {deleted[use.api_tool_id]} has been deleted, so it is never offered."
            yield {"field": f"api_tools.{i}", "code": "api_tool_deleted", "message": message}
