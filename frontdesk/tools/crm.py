"""Contacts and notes. Every function is one call of the door; scope and rights are decided there."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic_ai import RunContext

from frontdesk.runtime.tooling import ToolDeps

from .failures import WrongCall
from .results import Result, page, row

Ctx = RunContext[ToolDeps]
Text = Annotated[str, Field(min_length=1, max_length=10_000)]
Limit = Annotated[int, Field(ge=1, le=50)]

CONTACT = ("id", "first_name", "last_name", "email", "phone", "phone_country_code", "phone_country_iso", "company_id")
NOTE = ("id", "contact_id", "text", "created_at")


def _contact(ctx: Ctx, contact_id: int | None) -> int:
    chosen = ctx.deps.contact_id if contact_id is None else contact_id
    if chosen is None:
        raise WrongCall("contact_id is needed, because this conversation has no contact yet.")
    return chosen


def _changes(**values: str | None) -> dict[str, object]:
    """What was given; an empty text empties the field."""
    return {name: value.strip() or None for name, value in values.items() if value is not None}


async def find_contact(ctx: Ctx, search: str, limit: Limit = 10) -> Result:
    """Find contacts by name, e-mail or phone. Gives the total and the matching contacts with their ids.

    Args:
        search: Words that must all occur in name, e-mail or phone, e.g. "ana torres" or "5550102".
        limit: Most contacts to give.
    """
    return page(
        await ctx.deps.call("contacts", "find", query={"searchTerm": search, "$limit": limit, "$select": [*CONTACT]}),
        CONTACT,
    )


async def get_contact(ctx: Ctx, contact_id: int | None = None) -> Result:
    """Read one contact.

    Args:
        contact_id: Contact id; leave out for the person in this conversation.
    """
    return row(await ctx.deps.call("contacts", "get", id=_contact(ctx, contact_id)), CONTACT)


async def create_contact(
    ctx: Ctx,
    first_name: str,
    last_name: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    phone_country_code: str | None = None,
) -> Result:
    """Add a new contact. Not for the person in this conversation, who is one already: use update_contact.

    Args:
        first_name: First name.
        last_name: Last name.
        email: E-mail address.
        phone: Phone number as given.
        phone_country_code: Country calling code, e.g. "+34", if given.
    """
    data = _changes(
        first_name=first_name, last_name=last_name, email=email, phone=phone, phone_country_code=phone_country_code
    )
    return row(await ctx.deps.call("contacts", "create", data=data), CONTACT)


async def update_contact(
    ctx: Ctx,
    contact_id: int | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    phone_country_code: str | None = None,
) -> Result:
    """Change details of a contact. Give only what changes; "" empties a field. Gives the contact as it is now.

    Args:
        contact_id: Contact id; leave out for the person in this conversation.
        first_name: New first name.
        last_name: New last name.
        email: New e-mail address.
        phone: New phone number as given.
        phone_country_code: New country calling code, e.g. "+34".
    """
    data = _changes(
        first_name=first_name, last_name=last_name, email=email, phone=phone, phone_country_code=phone_country_code
    )
    if not data:
        raise WrongCall("Say what changes: give at least one of first_name, last_name, email, phone.")
    return row(await ctx.deps.call("contacts", "patch", id=_contact(ctx, contact_id), data=data), CONTACT)


async def add_note(ctx: Ctx, text: Text, contact_id: int | None = None) -> Result:
    """Keep a note on a contact, for the team and for later conversations.

    Args:
        text: What to keep, in full sentences.
        contact_id: Contact id; leave out for the person in this conversation.
    """
    data = {"text": text, "contact_id": _contact(ctx, contact_id)}
    return row(await ctx.deps.call("notes", "create", data=data), NOTE)


async def update_note(ctx: Ctx, note_id: int, text: Text) -> Result:
    """Replace the text of a note.

    Args:
        note_id: Id of the note, from get_notes or add_note.
        text: The whole new text.
    """
    return row(await ctx.deps.call("notes", "patch", id=note_id, data={"text": text}), NOTE)


async def get_notes(ctx: Ctx, contact_id: int | None = None, limit: Limit = 10) -> Result:
    """Read the notes on a contact, newest first.

    Args:
        contact_id: Contact id; leave out for the person in this conversation.
        limit: Most notes to give.
    """
    query = {"contact_id": _contact(ctx, contact_id), "$limit": limit, "$sort": {"id": -1}, "$select": [*NOTE]}
    return page(await ctx.deps.call("notes", "find", query=query), NOTE)


TOOLS = (find_contact, get_contact, create_contact, update_contact, add_note, update_note, get_notes)
