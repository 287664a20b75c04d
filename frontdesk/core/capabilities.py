"""What each channel can carry and when: one table, read by the API's checks, the spine and the providers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

MEDIA = frozenset({"image", "video", "document", "audio"})
TEXT = frozenset({"text", "note"})
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One channel. `title` is its name in sentences; `message_types` are those that a person may send.

    `is_local`: the customer reads our own rows, so a stored message is a delivered one. `window`: how long after the
    customer's last message an ordinary one may be sent (Meta's customer service window); templates and notes may
    always. `proves_sender`: its provider vouches for who writes; an SMS number can be forged. `has_phones`: the
    customer's address is a phone number. `longest_text` is in characters.
    """

    title: str
    message_types: frozenset[str]
    longest_text: int
    is_local: bool = False
    window: timedelta | None = None
    proves_sender: bool = False
    has_phones: bool = False


CAPABILITIES: Mapping[str, Capabilities] = {
    "whatsapp": Capabilities(
        "WhatsApp", TEXT | MEDIA | {"location", "reaction", "template"}, 4096,
        window=DAY, proves_sender=True, has_phones=True,
    ),
    "instagram": Capabilities("Instagram", TEXT | MEDIA | {"reaction"}, 1000, window=DAY, proves_sender=True),
    "messenger": Capabilities("Messenger", TEXT | MEDIA | {"reaction"}, 2000, window=DAY, proves_sender=True),
    "webchat": Capabilities("Web chat", TEXT | MEDIA | {"location", "reaction"}, 4000, is_local=True),
    "sms": Capabilities("SMS", TEXT | MEDIA, 1600, has_phones=True),
    "email": Capabilities("E-mail", TEXT, 100_000),
    "gmail": Capabilities("Gmail", TEXT, 100_000),
    "playground": Capabilities("Playground", frozenset({"text"}) | MEDIA, 4000, is_local=True),
}  # fmt: skip
# E-mail is no conversation channel (the published API says so): tickets come and go by it.
MAIL = ("email", "gmail")
CONVERSATION_CHANNELS = tuple(name for name in CAPABILITIES if name not in MAIL)
# A mailbox is connected like a channel, but e-mail is no conversation channel (tickets and broadcasts use it).
CONNECTED = ("webchat", "whatsapp", "instagram", "messenger", "sms", *MAIL)
