"""What is stored for calls and does not work as it stands."""

from __future__ import annotations

from collections.abc import Iterator

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.voice_config import KNOWN_PROVIDERS, VoiceConfig
from frontdesk.core.errors import Json

FIELD = "telnyx_ai_assistant_config"


def voice_warnings(config: AssistantConfig) -> Iterator[dict[str, Json]]:
    """Fields of calls on a written assistant, and contradictions within those of a voice assistant."""
    if config.assistant_type != "voice":
        set_fields = {
            FIELD: config.voice is not None,
            "external_handoff_targets": bool(config.external_handoff.targets),
            "acting_user_id": config.acting_user_id is not None,
        }
        for field in (name for name, is_set in set_fields.items() if is_set):
            message = f"Only an assistant of the type voice uses this; this one is of the type {config.assistant_type}."
            yield {"field": field, "code": "voice_only", "message": message}
        return
    message = "Calls are not available in this version; the settings of the voice are stored and checked."
    yield {"field": "assistant_type", "code": "voice_not_available", "message": message}
    if config.voice is not None:
        yield from _of_voice(config.voice)


def _of_voice(voice: VoiceConfig) -> Iterator[dict[str, Json]]:
    if voice.voice_provider is not None and voice.voice_provider not in KNOWN_PROVIDERS:
        message = f"{voice.voice_provider} is none of the known providers: {', '.join(KNOWN_PROVIDERS)}."
        yield {"field": f"{FIELD}.voice_provider", "code": "voice_provider_unknown", "message": message}
    if voice.external_transfer_caller_id_mode == "transfer_from_number" and voice.transfer_from_number is None:
        message = "The calling number is to be transfer_from_number, which is empty; the assistant's own is shown."
        yield {"field": f"{FIELD}.transfer_from_number", "code": "caller_id_missing", "message": message}
    runs_custom = voice.voice_runtime == "custom_llm"
    if voice.voice_runtime is not None and voice.use_custom_llm is not None and voice.use_custom_llm != runs_custom:
        message = f"use_custom_llm contradicts voice_runtime {voice.voice_runtime}, which is what counts."
        yield {"field": f"{FIELD}.use_custom_llm", "code": "voice_runtime_contradicts", "message": message}
