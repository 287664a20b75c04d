"""An organization's provider keys: written, never read, encrypted, and bound to the address they were stored for."""

from __future__ import annotations

from frontdesk.assistants.model_key import PROVIDER_ORIGINS, check_key
from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource, Rights
from frontdesk.core.vault import is_mask, mask, origin_of
from frontdesk.resources.assistants.origins import check_origin

PROVIDERS = ("openai", "anthropic", "google", "openai_compatible")


def key_origin(provider: str, base_url: str | None) -> str:
    """Where the key may be sent: its address, or the provider's own."""
    return origin_of(base_url) if base_url else PROVIDER_ORIGINS[provider]


async def _seal(call: Call) -> None:
    if call.verb == "remove":
        return
    row = {**(call.before or {}), **call.data}
    provider, base_url = str(row["provider"]), check_origin(row.get("base_url"))
    if (provider == "openai_compatible") != bool(base_url):
        raise Invalid([Fault("base_url", "provider", "is required for openai_compatible, and only for it")])
    origin = key_origin(provider, base_url)
    key = str(call.data.pop("key", None) or "").strip()
    call.data["base_url"] = base_url
    if key and not is_mask(key):
        check_key(key, "key")
        call.data |= {"key_encrypted": call.door.vault.seal(key, origin), "key_mask": mask(key)}
        return
    before = call.before
    if before is None or (key and key != before["key_mask"]):
        raise Invalid([Fault("key", "mask", "is a mask of no stored key; enter the key again")])
    stored_for = str(before["base_url"]) if before["base_url"] else None
    if origin != key_origin(str(before["provider"]), stored_for):
        raise Invalid([Fault("key", "keyOrigin", "was stored for another address; enter it again")])


ai_provider_keys = Resource(
    path="ai-provider-keys",
    singular="provider key",
    area="assistants",
    description="Keys of model providers, used by assistants whose connection is `organization`.",
    rights=Rights(read=Role.admin, write=Role.admin),
    fields=(
        Field("provider", is_required=True, is_nullable=False, choices=PROVIDERS, example="openai"),
        Field("base_url", max_length=500, description="For openai_compatible: the only address that gets the key."),
        Field("key_encrypted", is_nullable=False, write="never", is_shown=False),
        Field("key_mask", is_nullable=False, write="never", example="••••••••x7Qe"),
    ),
    extra_input=(
        Field("key", is_required=True, is_nullable=False, max_length=1000, is_secret=True, example="sk-your-key"),
    ),
    prepare=_seal,
)
