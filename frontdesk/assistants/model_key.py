"""The assistant's own provider key: where it may go, and what a mask that comes back means."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from frontdesk.core.errors import Fault, Invalid, Json
from frontdesk.core.vault import is_mask, mask, origin_of

VISIBLE = re.compile(r"[!-~]+")
FIELD = "specific_openai_secret_key"
# Where a provider's own key goes when the model names no address.
OPENAI = "https://api.openai.com:443"
PROVIDER_ORIGINS = {
    "openai": OPENAI,
    "anthropic": "https://api.anthropic.com:443",
    "google": "https://generativelanguage.googleapis.com:443",
}


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the rules of keys need to know of a row of `ai_models`."""

    provider: str
    base_url: str | None
    is_installation: bool

    @property
    def origin(self) -> str:
        """The origin that a key stored beside this model is bound to.

        A model that names neither address nor provider (the installation's default, the built-in one) says nothing
        of where a key belongs; the field's published name does.
        """
        return origin_of(self.base_url) if self.base_url else PROVIDER_ORIGINS.get(self.provider, OPENAI)


@dataclass(frozen=True, slots=True)
class KeyChange:
    """The columns to write (none: the key stays as it is), and whether a warning is due."""

    columns: dict[str, Json] = field(default_factory=dict)
    is_missing: bool = False
    is_elsewhere: bool = False  # the stored key belongs to another address than the model's


def check_connection(connection: Json, model: ModelFacts) -> None:
    """The installation's key goes only to models of the installation's catalogue. Raises `Invalid`."""
    if (
        connection == "system"
        and not model.is_installation
        and not model.base_url
        and model.provider in PROVIDER_ORIGINS
    ):
        message = "must be organization or specific: the installation's key goes only to the installation's models"
        raise Invalid([Fault("connection", "keyOrigin", message)])


def change_key(
    sent: str | None,
    stored: tuple[str, str] | None,
    model: ModelFacts,
    seal: Callable[[str, str], str],
    *,
    is_new: bool,
) -> KeyChange:
    """What a sent key does. `stored` is (mask, origin). Raises `Invalid` for a mask that cannot stand for a key."""
    text = (sent or "").strip()
    if not text:
        return KeyChange(_columns(None, None, None))
    if is_mask(text):
        return _masked(text, stored, model, is_new=is_new)
    check_key(text, FIELD)
    return KeyChange(_columns(mask(text), seal(text, model.origin), model.origin))


def check_key(key: str, path: str) -> None:
    """A key travels in a header. Raises `Invalid` for one that no header can carry: it would break every turn."""
    if not VISIBLE.fullmatch(key):
        message = "must be one line of visible ASCII characters, as the provider shows the key"
        raise Invalid([Fault(path, "pattern", message)])


def unchanged_key(stored: tuple[str, str] | None, model: ModelFacts) -> KeyChange:
    """No key was sent: the stored one stays, and is useless where the model has moved to another address."""
    return KeyChange(is_elsewhere=stored is not None and stored[1] != model.origin)


def _masked(text: str, stored: tuple[str, str] | None, model: ModelFacts, *, is_new: bool) -> KeyChange:
    if is_new:
        return KeyChange(_columns(None, None, None), is_missing=True)
    if stored is None or stored[0] != text:
        raise Invalid([Fault(FIELD, "mask", "is a mask of no stored key; enter the key again")])
    if stored[1] != model.origin:
        message = "was stored for another address than the model's; enter it again"
        raise Invalid([Fault(FIELD, "keyOrigin", message)])
    return KeyChange()


def _columns(shown: str | None, sealed: str | None, origin: str | None) -> dict[str, Json]:
    return {FIELD: shown, "specific_key_sealed": sealed, "specific_key_origin": origin}
