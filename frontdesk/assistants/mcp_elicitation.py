"""What a server is told that asks its user something in the middle of a call: the defaults of its own form.

Nobody sits there to be asked. A server that says what an answer is when nobody cares is given that; one that needs a
real answer, or wants somebody to open a page, is declined, and its tool says so to the model.
"""

from __future__ import annotations

from collections.abc import Mapping

from mcp.client.context import ClientRequestContext
from mcp_types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult

Value = str | int | float | bool | list[str] | None


async def answer_with_defaults(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    """Accepts with the form's defaults where they answer all that is required, else declines."""
    content = defaults_of(params.requested_schema) if isinstance(params, ElicitRequestFormParams) else None
    return ElicitResult(action="decline") if content is None else ElicitResult(action="accept", content=content)


def defaults_of(schema: Mapping[str, object]) -> dict[str, Value] | None:
    """The default of each member that has one; None where a required one has none.

    None too where there is no default at all: to send such a form is to say yes to something.
    """
    properties, required = schema.get("properties"), schema.get("required")
    members = properties if isinstance(properties, dict) else {}
    found = {name: one["default"] for name, one in members.items() if isinstance(one, dict) and "default" in one}
    is_whole = all(name in found for name in (required if isinstance(required, list) else []))
    return found if found and is_whole else None
