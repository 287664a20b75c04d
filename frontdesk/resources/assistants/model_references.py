"""The models that an assistant names beside its own: each exists, stands once, and is not the own one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.model_warnings import FALLBACKS, Keys, KnownModel, model_warnings
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid, Json

from .ai_provider_keys import key_origin

_MODELS = """
    SELECT id, name, provider, model, base_url, context_length, supports_tools, organization_id IS NULL,
        deleted_at IS NOT NULL, supports_images
    FROM ai_models WHERE (organization_id = $1 OR organization_id IS NULL) AND id = ANY($2)
"""
_KEYS = "SELECT DISTINCT provider, base_url FROM ai_provider_keys WHERE organization_id = $1 AND deleted_at IS NULL"
OPTIONS, MEMBER = "advanced_options", "fallback_ai_model_ids"


async def look_at_models(
    call: Call, config: AssistantConfig, sent: Mapping[str, Json], stored: Mapping[str, Json]
) -> list[Json]:
    """The warnings. `stored` is the record with everything merged. Raises `Invalid` with the path of a wrong one."""
    named = config.options.fallback_ai_model_ids
    models = await _models(call, [cast(int, config.ai_model_id), *named])
    before = _ids((call.before or {}).get(OPTIONS))
    if wrong := [*_faults(config, models, before, is_sent=OPTIONS in sent)]:
        raise Invalid(wrong)
    organization = await _organization_origins(call) if config.connection == "organization" else frozenset[str]()
    specific = cast("str | None", stored.get("specific_key_origin"))
    return list(model_warnings(config, models, Keys(config.connection, specific, organization)))


def _faults(
    config: AssistantConfig, models: Mapping[int, KnownModel], before: list[int], *, is_sent: bool
) -> Iterator[Fault]:
    named = config.options.fallback_ai_model_ids
    if not is_sent:
        if config.ai_model_id in named:
            yield Fault("ai_model_id", "reference", f"stands in {FALLBACKS}; take it out there first")
        return
    for i, id in enumerate(named):
        path = f"{FALLBACKS}.{i}"
        if id in named[:i]:
            yield Fault(path, "uniqueItems", "names the same model again")
        elif id == config.ai_model_id:
            yield Fault(path, "reference", "is the assistant's own model")
        elif id not in models:
            yield Fault(path, "reference", "names no model that exists", id=id)
        elif models[id].is_deleted and id not in before:
            yield Fault(path, "reference", "names a model that was deleted", id=id)


async def restored_fallbacks(call: Call, options: Json, own: object) -> tuple[Json, list[Json]]:
    """The options of an older version without fallbacks that are gone, and a warning for each of those."""
    named = _ids(options)
    if not isinstance(options, dict) or not named:
        return options, []
    models = await _models(call, named)
    kept: list[Json] = [id for id in named if id in models and not models[id].is_deleted and id != own]
    message = "A fallback model of then is gone, or is the assistant's own model now; it is left out."
    warning: Json = {"field": FALLBACKS, "code": "model_deleted", "message": message}
    return {**options, MEMBER: kept}, [warning] if len(kept) < len(named) else []


async def _models(call: Call, ids: list[int]) -> dict[int, KnownModel]:
    rows = await call.connection.fetch(_MODELS, call.organization_id, ids)
    return {row[0]: KnownModel(*row) for row in rows}


async def _organization_origins(call: Call) -> frozenset[str]:
    rows = await call.connection.fetch(_KEYS, call.organization_id)
    return frozenset(key_origin(row[0], row[1]) for row in rows)


def _ids(options: Json) -> list[int]:
    named = options.get(MEMBER) if isinstance(options, dict) else None
    return [id for id in named if isinstance(id, int)] if isinstance(named, list) else []
