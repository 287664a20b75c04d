"""All internal tools by key: one file per area, listed here."""

from __future__ import annotations

from pydantic_ai.toolsets.abstract import AbstractToolset

from frontdesk.runtime.tooling import ToolDeps

from . import activities, companies, contacts, deals, messaging, notes, organization, products
from .api_tools import ApiToolset
from .handoffs import HandoffToolset
from .images import ImageToolset
from .internal import InternalTool, InternalToolset, ToolFunction
from .mcp_tools import McpToolset
from .skills import SkillToolset
from .together import Together
from .web_search import WebSearchToolset
from .wrappers import wrapped

AREAS: tuple[tuple[ToolFunction, ...], ...] = (
    contacts.TOOLS,
    companies.TOOLS,
    deals.TOOLS,
    notes.TOOLS,
    activities.TOOLS,
    organization.TOOLS,
    messaging.TOOLS,
    products.TOOLS,
)

FURTHER = (ApiToolset, McpToolset, SkillToolset, WebSearchToolset, HandoffToolset, ImageToolset)
TOOLS: dict[str, InternalTool] = {}
for area in AREAS:
    TOOLS |= {function.__name__: InternalTool(function) for function in area}


def make_toolset() -> AbstractToolset[ToolDeps]:
    """The tools of an agent. It holds nothing of a turn, so one serves all turns of a process."""
    return wrapped(Together((InternalToolset(TOOLS.values()), *(make() for make in FURTHER))))
