"""Which web chat a public key belongs to, and who may call it from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from pydantic_core import from_json
from starlette.requests import Request

from frontdesk.core.clock import Clock
from frontdesk.core.database import Database
from frontdesk.core.errors import Forbidden, NotFound
from frontdesk.resources.assistants.ai_models import INSTALLATION
from frontdesk.resources.messaging.inbox_channels import DEFAULT_LIMITS

KEPT = 2.0  # seconds that a change of the channel may take to be seen by a process that has just used it
MAX_KEPT = 1_000

CHANNEL_SQL = """
    SELECT c.id, c.organization_id, o.name AS organization_name, c.public_key, c.name, c.allowed_origins, c.limits,
        a.id AS ai_assistant_id, a.name AS assistant_name, m.provider AS model_provider, a.connection
    FROM inbox_channels c
    JOIN organizations o ON o.id = c.organization_id AND o.deleted_at IS NULL
    LEFT JOIN ai_assistants a
        ON a.organization_id = c.organization_id AND a.id = c.ai_assistant_id AND a.deleted_at IS NULL
    LEFT JOIN ai_models m ON m.id = a.ai_model_id AND coalesce(m.organization_id, a.organization_id) = a.organization_id
    WHERE c.public_key = $1 AND c.channel = 'webchat' AND c.is_active AND c.deleted_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class ChatChannel:
    """One active web chat. `limits` has every name of `DEFAULT_LIMITS`."""

    id: int
    organization_id: int
    organization_name: str
    public_key: str
    name: str
    allowed_origins: tuple[str, ...]
    limits: Mapping[str, int]
    ai_assistant_id: int | None
    assistant_name: str | None
    model_provider: str | None
    connection: str | None

    def has_small_model(self, default_is_small: bool) -> bool:
        """Whether the built-in model answers; `default_is_small` says what the installation's default is."""
        is_default = self.model_provider == INSTALLATION and self.connection == "system"
        return self.model_provider == "local" or (is_default and default_is_small)

    @property
    def max_message_length(self) -> int:
        """In Unicode characters."""
        return self.limits["max_message_length"]


class ChatChannels:
    """Looks channels up by public key, remembering the used ones for `KEPT` seconds."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._kept: dict[str, tuple[float, ChatChannel]] = {}

    def forget(self) -> None:
        """Drop what was remembered: after a channel was changed in this process."""
        self._kept.clear()

    async def get(self, public_key: str) -> ChatChannel:
        """Raises `NotFound` for a key that is unknown, switched off or deleted: a stranger learns no more."""
        now = self._clock.monotonic()
        kept = self._kept.get(public_key)
        if kept is not None and kept[0] > now:
            return kept[1]
        # PostgreSQL refuses the character; no key has it.
        if "\x00" in public_key:
            raise NotFound("There is no such chat.")
        async with self._database.system() as connection:
            row = await connection.fetchrow(CHANNEL_SQL, public_key)
        if row is None:
            self._kept.pop(public_key, None)
            raise NotFound("There is no such chat.")
        values = dict(row)
        limits = DEFAULT_LIMITS | from_json(values.pop("limits"))
        channel = ChatChannel(**values | {"limits": limits, "allowed_origins": tuple(values["allowed_origins"])})
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[public_key] = (now + KEPT, channel)
        return channel


def allowed_origin(request: Request, channel: ChatChannel) -> dict[str, str]:
    """The CORS headers for the caller's page; none for our own page and for programs, which send no Origin.

    Raises `Forbidden` for a page of a site that the channel doesn't name.
    """
    origin = request.headers.get("origin")
    if origin is None or _host_of(origin) == request.headers.get("host"):
        return {}
    if "*" not in channel.allowed_origins and origin.lower() not in channel.allowed_origins:
        raise Forbidden(f"This chat may not be used from {origin[:200]}. Its channel's allowed_origins decides that.")
    return {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": "retry-after",
        "vary": "origin",
    }


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # such as http://[
        return None


def client_network(host: str) -> str:
    """What counts as one address: an IPv6 customer has a whole /64."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)
