"""The composer: one answer of a model, tied to no saved assistant. It drafts and mends what a person is writing."""

from __future__ import annotations

from typing import cast

from frontdesk.assistants.answer_schema import read_answer_schema
from frontdesk.core.completions import Completion
from frontdesk.core.door import Call
from frontdesk.core.errors import Json
from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource

from .completion_costs import ask

SOURCES = ("ai_conversation_message_composer",)
LONGEST = 200_000  # characters: fifty messages of a transcript with room to spare
# What the published composer parses out of the answer, where the client asks for nothing else.
DEFAULT_SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {
        "html_content": {"type": "string", "description": "The message as HTML."},
        "text_content": {"type": "string", "description": "The message as plain text."},
        "explanation": {"type": "string", "description": "One sentence: what was done."},
        "suggestions": {"type": "array", "items": {"type": "string"}, "description": "Up to three other versions."},
    },
    "required": ["html_content", "text_content"],
}


async def _ask(call: Call) -> None:
    """Before the transaction of the call, so that none is open while the model is waited for."""
    wanted = call.data.get("ai_schema")
    schema = DEFAULT_SCHEMA if wanted is None else read_answer_schema(wanted, "ai_schema")
    done = await ask(
        call.door,
        Completion(
            call.organization_id, str(call.data["system_prompt"]), (("user", str(call.data["user_prompt"])),),
            cast("int | None", call.data.get("ai_model_id")), schema,
        ),
    )  # fmt: skip
    call.extra["answer"] = {
        "ai_response_content": done.text, "model": done.model, "input_tokens": done.input_tokens,
        "output_tokens": done.output_tokens, "cost": None if done.cost is None else f"{done.cost:f}",
    }  # fmt: skip


async def _answer(call: Call) -> Json:
    return call.extra["answer"]


ai_assistant_system = Resource(
    path="ai-assistant-system",
    singular="completion",
    area="assistants",
    description="One answer of a model, tied to no saved assistant: the composer's drafts and corrections.",
    is_stored=False,
    is_told=False,
    verbs=("create",),
    fields=(
        Field("ai_response_content", write="never", is_nullable=False, description="JSON of the shape `ai_schema`."),
        Field("model", write="never", is_nullable=False, description="The provider's name of the model."),
        Field("input_tokens", "small", write="never", is_nullable=False),
        Field("output_tokens", "small", write="never", is_nullable=False),
        Field("cost", "decimal", write="never", description="US dollars; null where no price is known."),
    ),
    extra_input=(
        Field(
            "system_prompt", is_required=True, is_nullable=False, max_length=LONGEST,
            example="You help a clerk to write to a customer.",
        ),
        Field("user_prompt", is_required=True, is_nullable=False, max_length=LONGEST, example="Thank her for waiting."),
        Field("source", is_required=True, is_nullable=False, choices=SOURCES, example=SOURCES[0]),
        Field(
            "ai_schema", "custom",
            description="The answer's shape: JSON Schema of an object, or its members with their types. Left out: "
            "`html_content`, `text_content`, `explanation` and `suggestions`.",
        ),
        Field(
            "ai_model_id", "integer", references="ai-models", is_global_reference=True,
            description="Left out: the installation's default model.",
        ),
    ),
    look=_ask,
    handlers={"create": _answer},
)  # fmt: skip
