"""Who calls: an organization, a role in it, and for assistants the scope that bounds what they reach."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

Via = Literal["api_key", "jwt", "tool", "job", "system"]


class Role(IntEnum):
    """Rights grow with the number; nobody grants a role above their own."""

    member = 1
    admin = 2
    owner = 3
    system = 9


@dataclass(frozen=True, slots=True)
class Scope:
    """`own` of the tool scope: only rows that hang on this conversation's contact, and public catalogues.

    A contact that is not verified owns only what was made in this conversation.
    """

    conversation_id: int
    contact_id: int | None
    is_verified: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """One authenticated caller in one organization. `scope` None means organization-wide.

    `memberships` are all organizations of a login; only the list of organizations looks beyond the one.
    """

    organization_id: int
    user_id: int | None
    role: Role
    ai_assistant_id: int | None = None
    scope: Scope | None = None
    via: Via = "system"
    memberships: tuple[int, ...] = ()
    conversation_id: int | None = None  # where the call was made, stored on rows it creates
