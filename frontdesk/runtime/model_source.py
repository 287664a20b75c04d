"""How the runtime sees models and tools: by protocol. The composition root brings the rooms that have them."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings
from pydantic_ai.toolsets.abstract import AbstractToolset

from frontdesk.assistants.config import AssistantConfig
from frontdesk.core.errors import Json
from frontdesk.runtime.tooling import ToolDeps


class ResolvedModel(Protocol):
    """A model that is ready to be asked. Prices are US dollars per million tokens; `facts` holds no secret."""

    @property
    def model(self) -> Model: ...

    @property
    def settings(self) -> ModelSettings | None: ...

    @property
    def price_input(self) -> Decimal | None: ...

    @property
    def price_output(self) -> Decimal | None: ...

    @property
    def context_length(self) -> int | None: ...

    @property
    def takes_tools(self) -> bool: ...

    @property
    def supports_images(self) -> bool: ...

    @property
    def facts(self) -> dict[str, Json]: ...


class ModelSource(Protocol):
    async def resolve(self, config: AssistantConfig) -> ResolvedModel:
        """The model of this version of the assistant. Raises `NoModel`."""
        ...


class Toolbox(Protocol):
    """The tools that an assistant can be given; what is offered is decided by the wrappers in it."""

    def toolset(self) -> AbstractToolset[ToolDeps]: ...
