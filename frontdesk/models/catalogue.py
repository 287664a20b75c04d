"""Which model answers for an assistant, and with which key.

A key goes only where it belongs: the installation's to models of the installation's catalogue, an organization's and
an assistant's to the origin that they were stored for. A model with an address of its own may do without a key.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import httpx2
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.list_prices import list_prices
from frontdesk.assistants.model_key import OPENAI, PROVIDER_ORIGINS
from frontdesk.assistants.no_model import NoModel
from frontdesk.core.clock import Clock
from frontdesk.core.database import Connection, Database
from frontdesk.core.egress import Guard
from frontdesk.core.errors import Json
from frontdesk.core.settings import Settings
from frontdesk.core.vault import SecretUnusable, Vault, origin_of
from frontdesk.models.clients import Clients
from frontdesk.models.installation import COMPATIBLE, KEYED, LOCAL, NONE, Choice, installation_choice, installation_key
from frontdesk.models.local.endpoint import StateFile
from frontdesk.models.local.engine import Engine
from frontdesk.models.local.model import NAME as LOCAL_NAME
from frontdesk.models.local.model import LocalModel
from frontdesk.models.local.server import CONTEXT_TOKENS, STATE_FILE
from frontdesk.models.provider_names import LOCAL_LABEL
from frontdesk.models.providers import PROVIDERS
from frontdesk.models.request_settings import settings_of
from frontdesk.models.scripted import LABEL as SCRIPTED_LABEL
from frontdesk.models.scripted import ScriptedModel, Scripts
from frontdesk.models.scripts import SCRIPTS
from frontdesk.resources.assistants.ai_models import INSTALLATION
from frontdesk.resources.assistants.ai_provider_keys import key_origin

SECONDS = 300.0
MAX_ANSWER_BYTES = 50_000_000
ROW = """
    SELECT m.provider, m.base_url, m.model, m.name, m.context_length, m.price_input, m.price_output,
           m.supports_tools, m.supports_images, m.organization_id IS NULL AS is_installation, a.specific_key_sealed
    FROM ai_models m LEFT JOIN ai_assistants a ON a.organization_id = $1 AND a.id = $3
    WHERE (m.organization_id = $1 OR m.organization_id IS NULL) AND m.id = $2 AND m.deleted_at IS NULL
"""
KEYS = """
    SELECT provider, base_url, key_encrypted FROM ai_provider_keys
    WHERE organization_id = $1 AND deleted_at IS NULL ORDER BY id DESC
"""


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model that is ready to be asked. Prices are US dollars per million tokens; `facts` holds no secret."""

    model: Model
    label: str
    settings: ModelSettings | None = None
    price_input: Decimal | None = None
    price_output: Decimal | None = None
    context_length: int | None = None
    is_small: bool = False
    provider: str = ""
    takes_tools: bool = True
    supports_images: bool = False

    @property
    def facts(self) -> dict[str, Json]:
        return {
            "provider": self.provider, "model": self.model.model_name, "label": self.label, "is_small": self.is_small,
            "supports_images": self.supports_images,
        }  # fmt: skip


class Catalogue:
    """Resolves models for the turns of one process. `guard` bounds where an answer may come from."""

    def __init__(
        self, database: Database, vault: Vault, settings: Settings, clock: Clock, guard: Guard | None = None,
        scripts: Scripts | None = None,
    ) -> None:  # fmt: skip
        self._database, self._vault, self._settings, self._clock = database, vault, settings, clock
        self._clients = Clients(guard or model_guard(settings))
        self._local = Guard(allow_loopback=True, seconds=SECONDS).client()
        self._state = StateFile(settings.data / STATE_FILE, clock)
        self.scripts = scripts or Scripts(SCRIPTS)
        self._first_models: dict[str, str] = {}

    async def close(self) -> None:
        await self._clients.close()
        await self._local.aclose()

    async def resolve(self, config: AssistantConfig, *, specific_key: str | None = None) -> ResolvedModel:
        """The model of this version of the assistant. Raises NoModel.

        `specific_key` is tried in place of the stored one: a key that somebody has entered and not saved yet.
        """
        async with self._database.reading(config.organization_id) as connection:
            row = await connection.fetchrow(ROW, config.organization_id, config.ai_model_id, config.id)
            if row is None:
                raise NoModel("The assistant's model was deleted.")
            choice, key = await self._choose(connection, row, config, specific_key)
        if choice.provider == NONE:
            raise NoModel("No model is configured: set a provider's key, or FRONTDESK_MODEL=local.")
        if choice.provider == LOCAL:
            resolved = self._built_in(config)
        elif choice.provider == "scripted":
            resolved = self._scripted(choice.model or "")
        else:
            resolved = await self._remote(choice, key, row)
        settings = settings_of(config.options, resolved.provider, resolved.model, resolved.context_length)
        # The rows' own word; the default is resolved here, and those models of the providers all see.
        sees = row["supports_images"] or (row["provider"] == INSTALLATION and choice.provider in KEYED)
        return replace(resolved, settings=settings, takes_tools=row["supports_tools"], supports_images=sees)

    async def _choose(
        self, connection: Connection, row: asyncpg.Record, config: AssistantConfig, specific_key: str | None
    ) -> tuple[Choice, str | None]:
        """The provider, its model and the key. Which key is allowed is decided here and nowhere else."""
        if row["provider"] == INSTALLATION:
            return await self._choose_default(connection, row, config, specific_key)
        choice = Choice(row["provider"], row["model"])
        if choice.provider not in PROVIDERS:
            return choice, None
        origin = origin_of(row["base_url"]) if row["base_url"] else PROVIDER_ORIGINS.get(choice.provider)
        key: str | None = None
        match config.connection:
            case "system" if row["is_installation"]:
                key = installation_key(self._settings, choice.provider)
            case "organization" if origin:
                key = await self._organization_key(connection, config.organization_id, origin)
            case "specific" if origin:
                key = specific_key or self._opened(row["specific_key_sealed"], origin)
        if key is None and PROVIDERS[choice.provider].needs_key:
            raise NoModel(f"There is no key for {PROVIDERS[choice.provider].label}.", "no_key")
        return choice, key

    async def _choose_default(
        self, connection: Connection, row: asyncpg.Record, config: AssistantConfig, specific_key: str | None
    ) -> tuple[Choice, str | None]:
        """The installation's default; with a key of their own, the customer's provider instead."""
        if config.connection == "specific":
            key = specific_key or self._opened(row["specific_key_sealed"], OPENAI)
            if key is None:
                raise NoModel("The assistant has no key of its own.", "no_key")
            return Choice("openai", PROVIDERS["openai"].default_model), key
        if config.connection == "organization":
            for provider in KEYED:
                key = await self._organization_key(connection, config.organization_id, PROVIDER_ORIGINS[provider])
                if key:
                    return Choice(provider, PROVIDERS[provider].default_model), key
            raise NoModel("The organization has stored no provider key.", "no_key")
        choice = installation_choice(self._settings)
        key = installation_key(self._settings, choice.provider)
        if choice.provider in KEYED and key is None:
            raise NoModel(f"There is no key for {PROVIDERS[choice.provider].label}.", "no_key")
        return choice, key

    async def _organization_key(self, connection: Connection, organization_id: int, origin: str) -> str | None:
        for row in await connection.fetch(KEYS, organization_id):
            if key_origin(row["provider"], row["base_url"]) == origin:
                return self._opened(row["key_encrypted"], origin)
        return None

    def _opened(self, sealed: str | None, origin: str) -> str | None:
        try:
            return self._vault.open(sealed, origin) if sealed else None
        except SecretUnusable as error:
            raise NoModel(f"The stored key cannot be used: {error}.", "no_key") from None

    def _built_in(self, config: AssistantConfig) -> ResolvedModel:
        zone = ZoneInfo(config.timezone)
        engine = Engine(self._local, self._state, LOCAL_NAME)
        model = LocalModel(engine, lambda: self._clock.now().astimezone(zone))
        return ResolvedModel(model, LOCAL_LABEL, context_length=CONTEXT_TOKENS, is_small=True, provider=LOCAL)

    def _scripted(self, name: str) -> ResolvedModel:
        script = self.scripts.find(name)
        if script is None:
            raise NoModel(f"There is no script named {name}.")
        return ResolvedModel(ScriptedModel(name, script, self._clock), SCRIPTED_LABEL, provider="scripted")

    async def _remote(self, choice: Choice, key: str | None, row: asyncpg.Record) -> ResolvedModel:
        base_url = row["base_url"]
        if choice.provider == COMPATIBLE and row["provider"] == INSTALLATION:
            base_url = self._settings.openai_base_url
            if not base_url:
                raise NoModel("FRONTDESK_MODEL names a server, but FRONTDESK_OPENAI_BASE_URL is not set.")
        name = choice.model or await self._first_model(base_url, key)
        prices = row["price_input"], row["price_output"]
        if prices == (None, None) and choice.provider in KEYED:
            prices = list_prices(choice.provider, name)
        return ResolvedModel(
            self._clients.model(choice.provider, name, base_url, key),
            f"{PROVIDERS[choice.provider].label} {name}",
            price_input=prices[0],
            price_output=prices[1],
            context_length=row["context_length"],
            provider=choice.provider,
        )

    async def _first_model(self, base_url: str, key: str | None) -> str:
        """A local server that was given only by its address serves one model, mostly."""
        if base_url not in self._first_models:
            headers = {"authorization": f"Bearer {key}"} if key else {}
            try:
                answer = await self._clients.http.get(f"{base_url}/models", headers=headers)
                self._first_models[base_url] = str(answer.json()["data"][0]["id"])
            except (httpx2.HTTPError, ValueError, KeyError, IndexError, TypeError) as error:
                raise NoModel(f"The server at {base_url} does not list its models.") from error
        return self._first_models[base_url]


def model_guard(settings: Settings) -> Guard:
    """On the embedded database, which is one person's machine, a model's address may be on loopback."""
    return Guard.of(
        settings.egress_allow, allow_loopback=settings.is_embedded, seconds=SECONDS, max_bytes=MAX_ANSWER_BYTES
    )


def state_path(settings: Settings) -> Path:
    """Where the built-in model's server tells its address."""
    return settings.data / STATE_FILE
