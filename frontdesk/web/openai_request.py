"""A request in the OpenAI chat completions form, as far as Frontdesk takes it: texts in, one text out."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from frontdesk.assistants.answer_schema import read_answer_schema
from frontdesk.assistants.section import Section, read
from frontdesk.core.completions import Completion, Speaker
from frontdesk.core.errors import Fault, Invalid, Json

DEFAULT = "default"
MODEL = re.compile(r"model-(\d{1,9})", re.ASCII)
LONGEST = 400_000  # characters of all messages together
Text = Annotated[str, Field(max_length=LONGEST)]


class TextPart(Section):
    type: Literal["text"]
    text: Text


class Message(Section):
    role: Literal["system", "developer", "user", "assistant"]
    content: Text | Annotated[list[TextPart], Field(min_length=1, max_length=100)]
    name: str | None = None

    @property
    def text(self) -> str:
        return self.content if isinstance(self.content, str) else "\n".join(part.text for part in self.content)


class NamedSchema(Section):
    name: Annotated[str, Field(max_length=64)]
    description: str | None = None
    schema_: Annotated[dict[str, object], Field(alias="schema")]
    strict: bool | None = None


class ResponseFormat(Section):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None


class StreamOptions(Section):
    include_usage: bool = False
    include_obfuscation: bool | None = None


class ChatRequest(Section):
    """Members of the published form. Those that would change the answer and are not known here are refused."""

    model: Annotated[str, Field(max_length=100)]
    messages: Annotated[list[Message], Field(min_length=1, max_length=1_000)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    temperature: Annotated[FiniteFloat, Field(ge=0, le=2)] | None = None
    top_p: Annotated[FiniteFloat, Field(ge=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    response_format: ResponseFormat | None = None
    n: Literal[1] | None = None
    user: Text | None = None
    metadata: dict[str, str] | None = None
    store: Literal[False] | None = None


def read_chat_request(body: Json) -> ChatRequest:
    """Raises `Invalid` with the path of each wrong member."""
    try:
        request = read(ChatRequest, body, "body")
    except Invalid as error:
        shown = {path.removeprefix("body."): sentence for path, sentence in error.errors.items()}
        raise Invalid([Fault(path, "invalid", sentence) for path, sentence in shown.items()]) from None
    if request.messages[-1].role != "user":
        raise Invalid([Fault(f"messages.{len(request.messages) - 1}.role", "const", "must be user: the last one asks")])
    if sum(len(message.text) for message in request.messages) > LONGEST:
        raise Invalid([Fault("messages", "maxLength", f"must not have more than {LONGEST} characters together")])
    return request


def completion_of(request: ChatRequest, organization_id: int) -> Completion:
    """What is asked of the model. Raises `Invalid` for an unknown form of the model's name or a broken schema."""
    system = "\n\n".join(m.text for m in request.messages if m.role in ("system", "developer"))
    messages: list[tuple[Speaker, str]] = [
        ("user" if m.role == "user" else "assistant", m.text)
        for m in request.messages
        if m.role in ("user", "assistant")
    ]
    return Completion(
        organization_id, system, tuple(messages), model_id_of(request.model), _schema(request.response_format),
        request.temperature, request.top_p, request.max_completion_tokens or request.max_tokens,
    )  # fmt: skip


def model_id_of(name: str) -> int | None:
    """The row of `/ai-models` that a name stands for; None is the installation's default."""
    if name == DEFAULT:
        return None
    if (found := MODEL.fullmatch(name)) is None:
        raise Invalid([Fault("model", "reference", "names no model; GET /v1/models lists them")])
    return int(found.group(1))


def _schema(wanted: ResponseFormat | None) -> dict[str, Json] | None:
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return {"type": "object"}
    if wanted.json_schema is None:
        raise Invalid([Fault("response_format.json_schema", "required", "is required for json_schema")])
    return read_answer_schema(wanted.json_schema.schema_, "response_format.json_schema.schema")
