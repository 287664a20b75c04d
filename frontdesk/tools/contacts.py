"""Contacts. Every function is one call of the door; scope and rights are decided there."""

from __future__ import annotations

from .arguments import Ctx, Custom, Limit, contact_of, filters, given, needs_one
from .results import Result, page, row

SHORT = ("id", "first_name", "last_name", "email", "phone", "phone_country_code", "company_id")
CONTACT = (*SHORT, "phone_country_iso", "owned_by_user_id", "tags", "custom_fields_by_name")


async def find_contact(
    ctx: Ctx, search: str | None = None, email: str | None = None, phone: str | None = None, limit: Limit = 10
) -> Result:
    """Find contacts by name, e-mail or phone. Gives the total and the matching contacts with their ids.

    Args:
        search: Words that must all occur in name, e-mail or phone, e.g. "ana torres" or "5550102".
        email: Only with just this address.
        phone: Only with just this number, as stored.
        limit: Most contacts to give.
    """
    query = filters(search=search, email=email, phone=phone) | {"$limit": limit, "$select": [*SHORT]}
    return page(await ctx.deps.call("contacts", "find", query=query), SHORT)


async def get_contact(ctx: Ctx, contact_id: int | None = None) -> Result:
    """Read one contact.

    Args:
        contact_id: Contact id; leave out for the person in this conversation.
    """
    return row(await ctx.deps.call("contacts", "get", id=contact_of(ctx, contact_id)), CONTACT)


async def create_contact(
    ctx: Ctx,
    first_name: str,
    last_name: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    phone_country_code: str | None = None,
    custom_fields: Custom | None = None,
) -> Result:
    """Add a new contact. Not for the person in this conversation, who is one already: use update_contact.

    Args:
        first_name: First name.
        last_name: Last name.
        email: E-mail address.
        phone: Phone number as given.
        phone_country_code: Country calling code, e.g. "+34", if given.
        custom_fields: Custom values by display name, see get_custom_fields.
    """
    data = given(
        first_name=first_name, last_name=last_name, email=email, phone=phone, phone_country_code=phone_country_code,
        custom_fields_by_name=custom_fields,
    )  # fmt: skip
    return row(await ctx.deps.call("contacts", "create", data=data), CONTACT)


async def update_contact(
    ctx: Ctx,
    contact_id: int | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    phone_country_code: str | None = None,
    custom_fields: Custom | None = None,
) -> Result:
    """Change details of a contact. Give only what changes; "" empties a field. Gives the contact as it is now.

    Args:
        contact_id: Contact id; leave out for the person in this conversation.
        first_name: New first name.
        last_name: New last name.
        email: New e-mail address.
        phone: New phone number as given.
        phone_country_code: New country calling code, e.g. "+34".
        custom_fields: Custom values by display name; only those named change.
    """
    data = given(
        first_name=first_name, last_name=last_name, email=email, phone=phone, phone_country_code=phone_country_code,
        custom_fields_by_name=custom_fields,
    )  # fmt: skip
    needs_one(data, "first_name, last_name, email, phone, custom_fields")
    return row(await ctx.deps.call("contacts", "patch", id=contact_of(ctx, contact_id), data=data), CONTACT)


TOOLS = (find_contact, get_contact, create_contact, update_contact)
