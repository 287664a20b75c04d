"""The catalogue of models: rows of the installation, which everybody reads, and an organization's own.

Prices are US dollars per million tokens, the context length is in tokens. Which key goes to which row is decided when
a model is asked (`models/catalogue.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Table, and_, literal_column, not_, or_

from frontdesk.assistants.config import CONNECTIONS
from frontdesk.assistants.model_key import PROVIDER_ORIGINS
from frontdesk.core.caller import Role
from frontdesk.core.door import Call, Door
from frontdesk.core.errors import Fault, Invalid, Json
from frontdesk.core.fields import Field, Plain, Wrong
from frontdesk.core.resource import Filter, Resource, Rights
from frontdesk.resources.assistants.origins import check_origin

PROVIDERS = ("openai", "anthropic", "google", "openai_compatible", "local", "scripted")
INSTALLATION = "installation"
INSTALLATION_DEFAULT = "Installation default"
# Resolved at run time: a provider's key, a local server, or the built-in model.
SEED = f"""
    INSERT INTO ai_models (organization_id, name, provider, model, supports_images, supports_tools, created_at,
                           updated_at)
    SELECT NULL, '{INSTALLATION_DEFAULT}', '{INSTALLATION}', 'default', false, true, now(), now()
    WHERE NOT EXISTS (SELECT FROM ai_models WHERE organization_id IS NULL)
"""


async def _check(call: Call) -> None:
    if call.verb == "remove":
        return
    row = {**(call.before or {}), **call.data}
    provider, base_url = row.get("provider"), row.get("base_url")
    if provider == "openai_compatible" and not base_url:
        raise Invalid([Fault("base_url", "required", "is required for the provider openai_compatible")])
    if base_url and provider != "openai_compatible":
        raise Invalid([Fault("base_url", "provider", "belongs to the provider openai_compatible only")])
    if "base_url" in call.data:
        call.data["base_url"] = check_origin(base_url)


def _connections(door: Door, row: Mapping[str, Json]) -> dict[str, Json]:
    """The rule of `check_connection`: the installation's key is not for an organization's own row at a provider."""
    is_own = row["organization_id"] is not None and not row["base_url"] and row["provider"] in PROVIDER_ORIGINS
    return {"connections": [name for name in CONNECTIONS if not (is_own and name == "system")]}


def _allows(table: Table, value: ColumnElement[object]) -> ColumnElement[bool]:
    """The same rule for a list."""
    keyed = or_(*(table.c.provider == literal_column(f"'{name}'") for name in sorted(PROVIDER_ORIGINS)))
    is_own = and_(table.c.organization_id.is_not(None), table.c.base_url.is_(None), keyed)
    return or_(value != literal_column("'system'"), not_(is_own))


def _check_connection(value: Plain) -> Plain:
    if value not in CONNECTIONS:
        raise Wrong("enum", f"must be one of {', '.join(CONNECTIONS)}")
    return value


ai_models = Resource(
    path="ai-models",
    singular="AI model",
    area="assistants",
    description="The models that an assistant can use: the installation's, and those that your organization added. "
    "One that an assistant uses cannot be deleted; as a fallback it is passed over from then on.",
    rights=Rights(write=Role.admin),
    is_shared=True,
    fields=(
        Field("name", is_required=True, is_nullable=False, max_length=200, is_searched=True, example="Our model"),
        Field(
            "provider",
            is_required=True,
            is_nullable=False,
            choices=PROVIDERS,
            example="openai_compatible",
            schema={"enum": [*PROVIDERS, INSTALLATION]},
            description="`installation`: its row alone has that.",
        ),
        Field("base_url", max_length=500, example="https://models.example.com/v1"),
        Field("model", is_required=True, is_nullable=False, max_length=200, example="llama-3.3-70b"),
        Field(
            "context_length", "small", minimum=1, example=128000,
            description="In tokens, of question and answer together; it bounds the history. Null: at most 24,000.",
        ),
        Field("supports_images", "boolean", is_nullable=False, default=False),
        Field(
            "supports_tools", "boolean", is_nullable=False, default=True,
            description="False: its assistants are offered no tools.",
        ),
        Field("price_input", "decimal", minimum=0, example=0.15, description="US dollars per million tokens."),
        Field("price_output", "decimal", minimum=0, example=0.6, description="US dollars per million tokens."),
    ),
    filters={"connection": Filter("text", _allows, "Those that an assistant with it can use.", _check_connection)},
    derived=(
        Field(
            "connections", "texts", write="never", is_nullable=False,
            description="With which `connection` of an assistant the model can be used.",
        ),
    ),
    derive=_connections,
    prepare=_check,
)  # fmt: skip
