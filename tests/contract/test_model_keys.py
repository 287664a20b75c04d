"""Which model answers, and which key reaches which address: the catalogue on a real database."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic_ai import models

from frontdesk.assistants.config import AssistantConfig, Connection
from frontdesk.core.caller import Caller, Role
from frontdesk.core.clock import FakeClock
from frontdesk.core.database import Database
from frontdesk.core.door import Door
from frontdesk.core.egress import Guard
from frontdesk.core.errors import Forbidden, Invalid
from frontdesk.core.settings import Settings
from frontdesk.core.vault import Vault
from frontdesk.models.catalogue import Catalogue, NoModel
from frontdesk.models.scripted import Say
from frontdesk.registry import make_registry
from tests.models.asking import Talk
from tests.models.model_server import Scene, model_server

ADMIN = Caller(1, None, Role.admin, via="api_key")
INSTALLED, ORGANIZATIONS, SPECIFIC = "sk-installation-key", "sk-organization-key", "sk-specific-key-0"
ROWS = """
    INSERT INTO organizations (id, name, timezone, currency, subscription_status, created_at, updated_at)
    OVERRIDING SYSTEM VALUE VALUES (1, 'Luna', 'UTC', 'USD', 'active', now(), now()),
                                   (2, 'Sol', 'UTC', 'USD', 'active', now(), now())
"""
DEFAULT = "SELECT id FROM ai_models WHERE organization_id IS NULL"


@dataclass
class House:
    """Luna's catalogue beside a model server that records what it is sent."""

    door: Door
    scene: Scene
    folder: Path
    stack: AsyncExitStack

    def settings(self, **given: str) -> Settings:
        return Settings(data=self.folder, secret_key="k" * 40, **given)  # type: ignore[arg-type]

    def catalogue(self, **given: str) -> Catalogue:
        guard = Guard(allow_loopback=True)
        catalogue = Catalogue(self.door.database, self.door.vault, self.settings(**given), FakeClock(), guard)
        self.stack.push_async_callback(catalogue.close)
        return catalogue

    async def default_model(self) -> int:
        async with self.door.database.system() as connection:
            return int(await connection.fetchval(DEFAULT))

    async def model(self, provider: str = "openai_compatible", **more: object) -> int:
        base_url = {"base_url": self.scene.url} if provider == "openai_compatible" else {}
        return await self.create("ai-models", name="Own", provider=provider, **{"model": "m", **base_url, **more})

    async def key(self, provider: str = "openai_compatible", **more: object) -> int:
        base_url = {"base_url": self.scene.url} if provider == "openai_compatible" else {}
        return await self.create("ai-provider-keys", **{"provider": provider, "key": ORGANIZATIONS, **base_url, **more})

    async def create(self, path: str, **data: object) -> int:
        answer = await self.door.call(ADMIN, path, "create", data=data)
        assert answer.id is not None
        return answer.id

    async def config(self, model: int, connection: Connection = "system", **more: object) -> AssistantConfig:
        data = {"name": "Eva", "assistant_type": "conversation", "ai_model_id": model, "connection": connection}
        return AssistantConfig(
            await self.create("ai-assistants", **data, **more), 1, ai_model_id=model, connection=connection
        )


@pytest.fixture
async def house(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(models, "ALLOW_MODEL_REQUESTS", True)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    async with database.system() as connection:
        await connection.execute(ROWS)
    door = Door(database, make_registry(), FakeClock(), Vault("k" * 40))
    async with AsyncExitStack() as stack:
        yield House(door, await stack.enter_async_context(model_server()), tmp_path, stack)


async def sent(house: House, config: AssistantConfig, **settings: str) -> str:
    """The authorization header with which the server was asked."""
    resolved = await house.catalogue(**settings).resolve(config)
    assert (await Talk(resolved.model).ask("Hi")).text == "Hello"
    return house.scene.recorder.requests[-1].headers["authorization"]


async def test_the_installations_key_never_reaches_an_organizations_address(house: House) -> None:
    config = await house.config(await house.model())
    settings = {"OPENAI_API_KEY": INSTALLED, "openai_base_key": INSTALLED, "openai_base_url": "http://127.0.0.1:1/v1"}
    assert await sent(house, config, **settings) == "Bearer none"
    assert not house.scene.recorder.said(INSTALLED)


async def test_an_organizations_own_row_gets_no_key_of_the_installation(house: House) -> None:
    model = await house.model("openai")
    config = AssistantConfig(1, 1, ai_model_id=model)
    with pytest.raises(NoModel) as caught:
        await house.catalogue(OPENAI_API_KEY=INSTALLED).resolve(config)
    assert caught.value.reason == "no_key"


async def test_the_organizations_key_goes_to_its_address(house: House) -> None:
    await house.key()
    config = await house.config(await house.model(), "organization")
    assert await sent(house, config) == f"Bearer {ORGANIZATIONS}"


@pytest.mark.parametrize("elsewhere", ["https://other.example.com/v1", "http://127.0.0.1:1/v1"])
async def test_a_key_for_another_address_stays_at_home(house: House, elsewhere: str) -> None:
    await house.key(base_url=elsewhere)
    await house.key("openai")
    config = await house.config(await house.model(), "organization")
    assert await sent(house, config) == "Bearer none"


async def test_the_assistants_own_key_goes_to_its_models_address(house: House) -> None:
    config = await house.config(await house.model(), "specific", specific_openai_secret_key=SPECIFIC)
    assert await sent(house, config) == f"Bearer {SPECIFIC}"


async def test_a_key_stored_beside_another_model_is_refused(house: House) -> None:
    config = await house.config(await house.model(), "specific", specific_openai_secret_key=SPECIFIC)
    moved = await house.model(base_url="http://127.0.0.1:1/v1")
    with pytest.raises(NoModel) as caught:
        await house.catalogue().resolve(AssistantConfig(config.id, 1, ai_model_id=moved, connection="specific"))
    assert caught.value.reason == "no_key"
    assert SPECIFIC not in str(caught.value)


async def test_another_organizations_key_is_not_used(house: House) -> None:
    sol = Caller(2, None, Role.admin, via="api_key")
    data = {"provider": "openai_compatible", "base_url": house.scene.url, "key": ORGANIZATIONS}
    await house.door.call(sol, "ai-provider-keys", "create", data=data)
    config = await house.config(await house.model(), "organization")
    assert await sent(house, config) == "Bearer none"


async def test_the_default_is_a_local_server_by_url(house: House) -> None:
    config = await house.config(await house.default_model())
    assert (
        await sent(house, config, openai_base_url=house.scene.url, openai_base_key=INSTALLED) == f"Bearer {INSTALLED}"
    )
    assert house.scene.bodies[-1]["model"] == "first-model"


@pytest.mark.parametrize(
    ("settings", "label", "is_small"),
    [
        ({}, "small built-in model", True),
        ({"model": "local", "OPENAI_API_KEY": INSTALLED}, "small built-in model", True),
        ({"OPENAI_API_KEY": INSTALLED}, "OpenAI gpt-5.6-luna", False),
        ({"OPENAI_API_KEY": INSTALLED, "model": "gpt-x"}, "OpenAI gpt-x", False),
        ({"ANTHROPIC_API_KEY": INSTALLED, "model": "anthropic:claude-x"}, "Anthropic claude-x", False),
        ({"GEMINI_API_KEY": INSTALLED}, "Google gemini-3.8-flash", False),
    ],
)
async def test_the_default_follows_the_settings(
    house: House, settings: dict[str, str], label: str, is_small: bool
) -> None:
    resolved = await house.catalogue(**settings).resolve(await house.config(await house.default_model()))
    assert (resolved.label, resolved.is_small) == (label, is_small)
    assert INSTALLED not in str(resolved.facts)


async def test_a_default_without_prices_costs_what_its_provider_asks(house: House) -> None:
    config = await house.config(await house.default_model())
    resolved = await house.catalogue(OPENAI_API_KEY=INSTALLED, model="gpt-5-mini").resolve(config)
    assert (resolved.price_input, resolved.price_output) == (Decimal("0.25"), Decimal(2))
    unknown = await house.catalogue(OPENAI_API_KEY=INSTALLED, model="gpt-x").resolve(config)
    assert (unknown.price_input, unknown.price_output) == (None, None)


async def test_a_row_with_prices_keeps_its_own(house: House) -> None:
    await house.key("openai")
    model = await house.model("openai", model="gpt-5-mini", price_input=1, price_output=3)
    resolved = await house.catalogue().resolve(await house.config(model, "organization"))
    assert (resolved.price_input, resolved.price_output) == (1, 3)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"model": "none"}, "no_model"),
        ({"model": "openai:gpt-x"}, "no_key"),
        ({"model": "openai_compatible:m"}, "no_model"),
    ],
)
async def test_without_a_model_the_reason_is_told(house: House, settings: dict[str, str], reason: str) -> None:
    with pytest.raises(NoModel) as caught:
        await house.catalogue(**settings).resolve(await house.config(await house.default_model()))
    assert caught.value.reason == reason


async def test_the_default_with_an_organizations_key_is_its_provider(house: House) -> None:
    await house.key("anthropic")
    config = await house.config(await house.default_model(), "organization")
    assert (await house.catalogue().resolve(config)).label == "Anthropic claude-haiku-5-5"


async def test_a_script_answers_by_its_name(house: House) -> None:
    catalogue = house.catalogue()
    catalogue.scripts.register("mine", lambda _: (Say("Scripted."),))
    config = await house.config(await house.model("scripted", model="mine"))
    resolved = await catalogue.resolve(config)
    assert (await Talk(resolved.model).ask("Hi")).text == "Scripted."


async def test_a_deleted_model_is_no_model(house: House) -> None:
    model = await house.model()
    await house.door.call(ADMIN, "ai-models", "remove", id=model)
    with pytest.raises(NoModel):
        await house.catalogue().resolve(AssistantConfig(1, 1, ai_model_id=model))


async def test_a_key_is_never_read_back(house: House) -> None:
    key = await house.key()
    answer = await house.door.call(ADMIN, "ai-provider-keys", "get", id=key)
    assert ORGANIZATIONS not in answer.text
    assert answer.value["key_mask"] == "••••••••-key"
    with pytest.raises(Forbidden):
        await house.door.call(Caller(1, None, Role.member), "ai-provider-keys", "find")


@pytest.mark.parametrize("key", ["sk-one\nsk-two", "sk-clé", "sk-one sk-two", "sk-\u200b"])
async def test_a_key_that_no_header_can_carry_is_refused_without_being_repeated(house: House, key: str) -> None:
    with pytest.raises(Invalid) as caught:
        await house.door.call(ADMIN, "ai-provider-keys", "create", data={"provider": "openai", "key": key})
    assert list(caught.value.errors) == ["key"]
    assert "sk-" not in str(caught.value.as_json())


async def test_the_mask_keeps_the_key_where_it_is(house: House) -> None:
    key = await house.key()
    for data in ({"key": "••••••••-key"}, {"base_url": f"{house.scene.url}/"}):
        await house.door.call(ADMIN, "ai-provider-keys", "patch", id=key, data=data)
    for data in ({"base_url": "https://evil.example.com/v1"}, {"key": "••••••••else"}):
        with pytest.raises(Invalid):
            await house.door.call(ADMIN, "ai-provider-keys", "patch", id=key, data=data)


@pytest.mark.parametrize(
    "wrong",
    [
        {"provider": "openai_compatible"},
        {"provider": "openai", "base_url": "https://x.example/v1"},
        {"provider": "openai_compatible", "base_url": "ftp://x.example"},
        {"provider": "openai_compatible", "base_url": "https://user:pass@x.example"},
        {"provider": "installation"},
        {"provider": "openai", "price_input": -1},
    ],
)
async def test_a_wrong_model_is_refused(house: House, wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        await house.create("ai-models", name="Wrong", model="m", **wrong)
