"""Why a message may not leave: codes with a sentence for whoever reads the message or the error."""

from __future__ import annotations

from collections.abc import Mapping

REFUSALS: Mapping[str, str] = {
    "contact_blocked": "The contact is blocked. Unblock the conversation to write to them.",
    "contact_deleted": "The contact was deleted, so nothing is sent to them any more.",
    "conversation_deleted": "The conversation was deleted before this was sent.",
    "message_deleted": "The message was deleted before it was sent.",
    "outside_window": (
        "More than 24 hours have passed since the customer's last message, so this channel takes no ordinary message. "
        "Send a template, or wait until the customer writes."
    ),
    "reply_disabled": "The assistant's replies are switched off.",
    "assistant_deleted": "The assistant was deleted.",
    "person_took_over": (
        "A person took the conversation over while this was on its way: it may have arrived, and is not sent again."
    ),
    "conversation_closed": (
        "The conversation was closed while this was on its way: it may have arrived, and is not sent again."
    ),
    "newer_epoch": "The conversation has a new owner or a new beginning since this was written.",
    "delivery_unknown": "Whether it arrived is not known: the connection to the provider broke twice.",
    "target_unknown": "The message that this reaction is to has no id at the provider.",
    "no_address": "The customer's number or account on this channel is not known.",
}


def said_of(reason: str) -> str:
    """The sentence of a code; what is no code is a sentence already, the provider's."""
    return REFUSALS.get(reason, reason)
