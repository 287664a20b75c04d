"""`web_search`: the model looks something up on the web, by the operator's search engine and on the allowed sites.

Only reads, so it takes part in no effects and may be asked again after a crash. What is allowed is read from the live
record at each call, besides the version that the turn began with.
"""

from __future__ import annotations

import structlog
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets.abstract import AbstractToolset, ToolsetTool

from frontdesk.assistants.searxng import LONGEST_QUERY, SearchFailed, search
from frontdesk.assistants.web_search import WEB_SEARCH, WebSearch, sites_of
from frontdesk.core.errors import Json
from frontdesk.runtime.tooling import ToolDeps

from .arguments import Ctx
from .failures import Refused, WrongCall
from .internal import RAW
from .remote import Outcome, Remote

log = structlog.get_logger(__name__)
FAILED = "The search gave no answer. Do not repeat it now; go on with what you know, or say that you do not know."


class WebSearchToolset(AbstractToolset[ToolDeps]):
    """One tool, for the assistants that may search, where the operator has named an engine."""

    @property
    def id(self) -> str | None:
        return "web"

    async def get_tools(self, ctx: Ctx) -> dict[str, ToolsetTool[ToolDeps]]:
        options = ctx.deps.config.options.web_search
        if not options.enabled or ctx.deps.door.search_engine is None:
            return {}
        one = definition(options)
        return {WEB_SEARCH: ToolsetTool(toolset=self, tool_def=one, max_retries=0, args_validator=RAW)}

    async def call_tool(self, name: str, tool_args: dict[str, object], ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Remote:
        """The search, ready; it goes out when this transaction is over."""
        deps = ctx.deps
        if deps.connection is None:
            raise RuntimeError("a tool was called around its wrappers")
        server, query = deps.door.search_engine, tool_args.get("query")
        if server is None:
            raise Refused(f"{WEB_SEARCH} was not called: there is no search engine. Go on without it.")
        if not isinstance(query, str) or not query.strip() or set(tool_args) != {"query"}:
            raise WrongCall(f"{WEB_SEARCH} was not called: it takes one text, query.")
        begun, live = deps.config.options, (await deps.turn.current_assistant(deps.connection)).config.options
        # A turn keeps what it began with, but a site that was taken away since is not searched any more.
        sites = sites_of(begun.web_search.allowed_domains, live.web_search.allowed_domains)
        if sites is None:
            raise Refused(f"{WEB_SEARCH} was not called: its sites have been changed. Go on without it.")
        options = begun.web_search.model_copy(update={"allowed_domains": sites})
        words = " ".join(query.split())[:LONGEST_QUERY]

        async def send(key: str | None) -> Outcome:
            try:
                return Outcome(await search(deps.door.guard, server, words, options))
            except SearchFailed as failure:
                log.warning("web search failed", why=str(failure), turn=deps.turn.turn_id)
                return Outcome(FAILED, "failed")

        return Remote(send, is_change=False)


def definition(options: WebSearch) -> ToolDefinition:
    """What the model is told of it, with the sites that it is bound to."""
    where = f" Only pages of these sites are found: {', '.join(options.allowed_domains)}."
    schema: dict[str, Json] = {
        "type": "object",
        "properties": {"query": {"type": "string", "description": "A few words, as for a search engine."}},
        "required": ["query"],
        "additionalProperties": False,
    }
    return ToolDefinition(
        name=WEB_SEARCH,
        description="Search the web for what these instructions and the other tools do not tell."
        " Never put names, addresses, numbers or other details of a person into the query."
        + (where if options.allowed_domains else ""),
        parameters_json_schema=schema,
        metadata={"is_change": False},
    )
