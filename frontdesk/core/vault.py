"""Secrets at rest: encrypted with the installation's key and bound to the place where they may be sent.

A sealed secret is `<version>.<key id>.<nonce and AES-GCM ciphertext>`. The origin that it belongs to is the cipher's
associated data: with any other origin it does not open, whatever the row beside it says.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .addresses import parse_address

VERSION = "v1"
DEFAULT_PORTS = {"http": 80, "https": 443}
MASK_LENGTH = 8
SHORTEST_SHOWN = 12


class SecretUnusable(Exception):
    """The secret does not open: bound to another origin, sealed with a key we do not have, or damaged."""


def origin_of(url: str) -> str:
    """`scheme://host:port` in lower case, the port always written. Raises ValueError for anything but http(s)."""
    parts = urlsplit(url.strip())
    host = parts.hostname
    if parts.scheme not in DEFAULT_PORTS or not host or parts.username is not None or parts.password is not None:
        raise ValueError("must be an http or https address without user and password")
    name = host.rstrip(".").lower()
    last = name.rpartition(".")[2]
    if (last.isdecimal() or last.startswith("0x")) and parse_address(name) is None:
        # Some clients read 0177.0.0.1 or 2130706433 as an address, others as a name.
        raise ValueError("must have a host name, or an IP address in its usual form")
    if not name.isascii():
        name = name.encode("idna").decode("ascii")
    if ":" in name:
        name = f"[{name}]"
    return f"{parts.scheme}://{name}:{parts.port or DEFAULT_PORTS[parts.scheme]}"


def mask(secret: str) -> str:
    """What a read shows: the last four characters, and those only of a secret of 12 or more."""
    return "•" * MASK_LENGTH + (secret[-4:] if len(secret) >= SHORTEST_SHOWN else "")


def is_mask(text: str) -> bool:
    return text.startswith("•" * MASK_LENGTH)


class Vault:
    """Seals with the first key, opens with any: to rotate, put the new key in front of the old one."""

    def __init__(self, *secret_keys: str) -> None:
        if not secret_keys or not all(secret_keys):
            raise ValueError("a vault needs a secret key")
        ciphers = [derive_cipher(key) for key in secret_keys]
        self._current = ciphers[0][0]
        self._ciphers = dict(ciphers)

    def seal(self, secret: str, origin: str = "") -> str:
        """`origin` is what `origin_of` gave, or empty for a secret that is sent nowhere."""
        nonce = os.urandom(12)
        sealed = nonce + self._ciphers[self._current].encrypt(nonce, secret.encode(), origin.encode())
        return f"{VERSION}.{self._current}.{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, sealed: str, origin: str = "") -> str:
        """Raises SecretUnusable, whose message never holds the secret."""
        version, _, rest = sealed.partition(".")
        key_id, _, payload = rest.partition(".")
        cipher = self._ciphers.get(key_id)
        if version != VERSION or cipher is None:
            raise SecretUnusable("sealed with a key that this installation does not have")
        try:
            raw = base64.urlsafe_b64decode(payload)
            return cipher.decrypt(raw[:12], raw[12:], origin.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise SecretUnusable("stored for another address; enter it again") from None

    def is_current(self, sealed: str) -> bool:
        """False when the secret waits to be sealed anew with the current key."""
        return sealed.startswith(f"{VERSION}.{self._current}.")


def derive_cipher(secret_key: str) -> tuple[str, AESGCM]:
    """The key's id and its cipher; the installation's secret also signs tokens, hence a derived key."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"frontdesk vault").derive(secret_key.encode())
    return hashlib.sha256(key).hexdigest()[:8], AESGCM(key)
