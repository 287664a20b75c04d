"""What is said of an assistant's limits when they are stored: whether they can be counted and obeyed here."""

from __future__ import annotations

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.limit_warnings import Priced, limit_warnings
from frontdesk.core.door import Call
from frontdesk.core.errors import Json

_MODELS = """
    SELECT name, provider, model, price_input, price_output FROM ai_models
    WHERE (organization_id = $1 OR organization_id IS NULL) AND id = ANY($2) AND deleted_at IS NULL ORDER BY id
"""


async def look_at_limits(call: Call, config: AssistantConfig) -> list[Json]:
    """Warnings about `advanced_options` that need more than the record itself."""
    models: list[Priced] = []
    if config.options.budget.is_limited:
        ids = [id for id in (config.ai_model_id, *config.options.fallback_ai_model_ids) if id is not None]
        models = [Priced(*row) for row in await call.connection.fetch(_MODELS, call.organization_id, ids)]
    return [*limit_warnings(config, models, has_search_engine=call.door.search_engine is not None)]
