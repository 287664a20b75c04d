"""Our own models speak in pieces (text, a tool call, what it cost); this turns them into Pydantic AI's model.

The model loop always streams, so a plain request is a collected stream.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic_ai import RunContext
from pydantic_ai.messages import ModelMessage, ModelResponse, ModelResponseStreamEvent
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage


@dataclass(frozen=True, slots=True)
class Call:
    """A finished tool call; `arguments` is a JSON object as text."""

    tool: str
    arguments: str
    call_id: str


@dataclass(frozen=True, slots=True)
class Growth:
    """More of the arguments of a call that is being written; the first one says which `tool` is called."""

    arguments: str
    call_id: str
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """Tokens of the request so far; the last one counts."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0


Piece = str | Call | Growth | Cost


class PieceModel(Model[None]):
    """A model of ours: a subclass says the pieces, the rest is common."""

    def __init__(self, name: str, system: str) -> None:
        self._name, self._system = name, system
        super().__init__(profile=ModelProfile(supports_tools=True))

    @property
    def model_name(self) -> str:
        return self._name

    @property
    def system(self) -> str:
        return self._system

    @abstractmethod
    def pieces(self, messages: list[ModelMessage], request: ModelRequestParameters) -> AsyncGenerator[Piece]:
        """One answer. Raises a ModelAPIError of Pydantic AI for every failure that a provider can have."""

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        async with self.request_stream(messages, model_settings, model_request_parameters) as stream:
            async for _ in stream:
                pass
            return stream.get()

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[object] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        _, prepared = self.prepare_request(model_settings, model_request_parameters)
        async with aclosing(self.pieces(messages, prepared)) as pieces:
            yield PieceStream(prepared, self._name, self._system, pieces)


@dataclass
class PieceStream(StreamedResponse):
    """The pieces as Pydantic AI's events."""

    _name: str
    _system: str
    _pieces: AsyncGenerator[Piece]
    _started: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        async for piece in self._pieces:
            if isinstance(piece, Cost):
                self._usage = RequestUsage(
                    input_tokens=piece.input_tokens,
                    output_tokens=piece.output_tokens,
                    cache_read_tokens=piece.cached_tokens,
                )
            elif isinstance(piece, Call | Growth):
                for event in self._parts_manager.handle_tool_call_delta_events(
                    vendor_part_id=piece.call_id,
                    tool_name=piece.tool,
                    args=piece.arguments,
                    tool_call_id=piece.call_id,
                ):
                    yield event
            else:
                for event in self._parts_manager.handle_text_delta(vendor_part_id="text", content=piece):
                    yield event

    async def close_stream(self) -> None:
        await self._pieces.aclose()

    @property
    def model_name(self) -> str:
        return self._name

    @property
    def provider_name(self) -> str:
        return self._system

    @property
    def provider_url(self) -> None:
        return None

    @property
    def timestamp(self) -> datetime:
        return self._started
