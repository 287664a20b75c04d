"""What the chosen models make of a configuration: options that they do not take, tools that they cannot use, keys that
are not there for them. All of it is saved, and told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from frontdesk.assistants.config import AssistantConfig, Connection
from frontdesk.assistants.model_key import OPENAI, PROVIDER_ORIGINS
from frontdesk.assistants.model_options import judge, traits_by_name
from frontdesk.assistants.permissions import SYSTEM_TOOLS, permission, permissions
from frontdesk.core.errors import Json
from frontdesk.core.vault import origin_of

FALLBACKS = "advanced_options.fallback_ai_model_ids"
INSTALLATION = "installation"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A row of `ai_models`, as far as a configuration depends on it."""

    id: int
    name: str
    provider: str
    model: str
    base_url: str | None = None
    context_length: int | None = None
    takes_tools: bool = True
    is_installation: bool = False
    is_deleted: bool = False
    supports_images: bool = True

    @property
    def is_blind(self) -> bool:
        """Whether it surely takes no images; what the installation's default is shows when it is asked."""
        return not self.supports_images and self.provider != INSTALLATION


@dataclass(frozen=True, slots=True)
class Keys:
    """Where the keys that the connection stands for may go. The installation's own are not known here."""

    connection: Connection
    specific: str | None = None
    organization: frozenset[str] = field(default_factory=frozenset)

    def lacks(self, model: KnownModel) -> bool:
        """Whether there is surely no key for this model, by the rules of `models/catalogue.py`."""
        if model.provider == INSTALLATION:
            if self.connection == "organization":
                return not self.organization & set(PROVIDER_ORIGINS.values())
            return self.connection == "specific" and self.specific != OPENAI
        origin = PROVIDER_ORIGINS.get(model.provider)
        if origin is None:
            # A server of one's own, or a model that runs here, may do without. A key for another place is in the way.
            is_elsewhere = model.base_url is not None and self.specific not in (None, origin_of(model.base_url))
            return self.connection == "specific" and is_elsewhere
        if self.connection == "system":
            return not model.is_installation
        return origin not in self.organization if self.connection == "organization" else origin != self.specific


def model_warnings(config: AssistantConfig, models: dict[int, KnownModel], keys: Keys) -> Iterator[Json]:
    """`models` are those that the configuration names, by id."""
    own = models.get(config.ai_model_id or 0)
    has_tools = _has_tools(config)
    if own is not None:
        yield from _of_options(config, own)
        if has_tools and not own.takes_tools:
            message = f"{own.name} cannot use tools, so none of the tools that are on is offered."
            yield _warning("ai_model_id", "model_without_tools", message)
        if config.analyze_images and own.is_blind:
            message = f"{own.name} takes no images (supports_images), so the assistant is told of them and sees none."
            yield _warning("analyze_images", "model_without_images", message)
        if config.connection == "organization" and keys.lacks(own):
            message = f"The organization has stored no key for {own.name}."
            yield _warning("connection", "key_missing", message)
    for i, id in enumerate(config.options.fallback_ai_model_ids):
        if (model := models.get(id)) is not None:
            yield from _of_fallback(model, keys, f"{FALLBACKS}.{i}", has_tools=has_tools)
            if config.analyze_images and model.is_blind and not model.is_deleted:
                message = f"{model.name} takes no images; where it stands in, none is seen."
                yield _warning(f"{FALLBACKS}.{i}", "fallback_without_images", message)


def _of_options(config: AssistantConfig, model: KnownModel) -> Iterator[Json]:
    traits = traits_by_name(model.provider, model.model)
    if traits is None:
        return
    _, left_out = judge(config.options, traits, model.context_length)
    for entry in left_out:
        message = f"With {model.name}, {entry.option} {entry.sentence}."
        yield _warning(f"advanced_options.{entry.option}", "option_not_sent", message)


def _of_fallback(model: KnownModel, keys: Keys, path: str, *, has_tools: bool) -> Iterator[Json]:
    if model.is_deleted:
        yield _warning(path, "fallback_deleted", f"{model.name} was deleted; it is passed over.")
    elif keys.lacks(model):
        message = f"There is no key for {model.name} with connection {keys.connection}; it is passed over."
        yield _warning(path, "fallback_without_key", message)
    elif has_tools and not model.takes_tools:
        message = f"{model.name} cannot use tools; where it stands in, none is offered."
        yield _warning(path, "fallback_without_tools", message)


def _has_tools(config: AssistantConfig) -> bool:
    if any(use.enabled for use in config.api_tools.root) or any(server.enabled for server in config.mcp_tools.root):
        return True
    return any(ruling.is_allowed for ruling in permissions(config)) or any(
        permission(config, name).is_allowed for name in SYSTEM_TOOLS
    )


def _warning(field: str, code: str, message: str) -> Json:
    return {"field": field, "code": code, "message": message}
