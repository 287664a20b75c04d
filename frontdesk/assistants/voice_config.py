"""`telnyx_ai_assistant_config`: how a voice assistant sounds and by which runtime it speaks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, FiniteFloat, StringConstraints

from frontdesk.assistants.external_handoff import Number
from frontdesk.assistants.section import Section, clean
from frontdesk.core.vault import is_mask

# Those that the published API lists; it does not say that there are no others, so another one is a warning only.
KNOWN_PROVIDERS = ("telnyx", "elevenlabs", "aws", "azure", "rime", "resemble", "minimax", "inworld")


def _provider(name: str) -> str:
    if not all(character.isascii() and (character.isalnum() or character in "_-") for character in name):
        raise ValueError("must be made of letters, digits, - and _")
    return name.lower()


def _secret(text: str) -> str | None:
    """A key travels in a header; a text without anything in it is none."""
    if is_mask(text) or not text.strip():
        return text if is_mask(text) else None
    if not all("!" <= character <= "~" for character in text):
        raise ValueError("must be one line of visible ASCII characters, as the provider shows the key")
    return text


Name = Annotated[str, StringConstraints(max_length=200), AfterValidator(clean)]
Spoken = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(clean)]
Provider = Annotated[str, StringConstraints(min_length=1, max_length=50), AfterValidator(_provider)]
Secret = Annotated[str, StringConstraints(max_length=1_000), AfterValidator(_secret)]
Speed = Annotated[FiniteFloat, Field(ge=0.25, le=4)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]


class VoiceConfig(Section):
    """All members of the published API; one that is left out or null is the voice runtime's own default.

    `voice_api_key_ref` is made by the server when a key is stored. Sent back without `voice_api_key` it keeps the key,
    as its mask does. `sync_status`: a client sets `pending`, the others are the server's.
    """

    sync_status: Literal["pending", "synced", "failed"] | None = None
    voice_runtime: Literal["telnyx_builtin", "custom_llm", "openai_realtime_sip"] | None = None
    use_custom_llm: bool | None = None
    model: Name | None = None
    openai_realtime_model: Name | None = None
    greeting: Spoken | None = None
    voice_provider: Provider | None = None
    voice_provider_model: Name | None = None
    voice_id: Name | None = None
    voice_name: Name | None = None
    voice_model: Name | None = None
    voice_api_key: Secret | None = None
    voice_api_key_ref: Name | None = None
    voice_speed: Speed | None = None
    voice_language_boost: Name | None = None
    voice_expressive_mode: bool | None = None
    voice_similarity_boost: Share | None = None
    transfer_from_number: Number | None = None
    # Whose number the other side sees: the one that was called, the customer's, or `transfer_from_number`.
    external_transfer_caller_id_mode: Literal["assistant", "customer", "transfer_from_number"] | None = None
