"""Passwords by Argon2id, with the library's own parameters."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

HASHER = PasswordHasher()


@cache
def nobody() -> str:
    """Checked where the user is unknown, so that an answer's time does not tell which e-mail addresses exist."""
    return HASHER.hash("nobody has this password")


def hash_password(password: str) -> str:
    return HASHER.hash(password)


def is_password(stored: str | None, password: str) -> bool:
    try:
        return HASHER.verify(stored or nobody(), password) and stored is not None
    except (Argon2Error, InvalidHashError):
        return False
