"""Notes on contacts, deals and companies. Notes of the staff are internal: no customer's conversation reads them."""

from __future__ import annotations

from .arguments import Ctx, Limit, Text, contact_of, filters, given
from .results import Result, page, row

NOTE = ("id", "contact_id", "deal_id", "company_id", "text", "created_at")


def _target(ctx: Ctx, contact_id: int | None, deal_id: int | None, company_id: int | None) -> dict[str, object]:
    """What was named; nothing means the person in this conversation."""
    named = given(contact_id=contact_id, deal_id=deal_id, company_id=company_id)
    return named or {"contact_id": contact_of(ctx, None)}


async def add_note(
    ctx: Ctx, text: Text, contact_id: int | None = None, deal_id: int | None = None, company_id: int | None = None
) -> Result:
    """Keep a note on one contact, deal or company, for the team and for later conversations.

    Args:
        text: What to keep, in full sentences.
        contact_id: Contact id; without any target, the person in this conversation.
        deal_id: Deal id.
        company_id: Company id.
    """
    data = {"text": text} | _target(ctx, contact_id, deal_id, company_id)
    return row(await ctx.deps.call("notes", "create", data=data), NOTE)


async def update_note(ctx: Ctx, note_id: int, text: Text) -> Result:
    """Replace the text of a note.

    Args:
        note_id: Id of the note, from get_notes or add_note.
        text: The whole new text.
    """
    return row(await ctx.deps.call("notes", "patch", id=note_id, data={"text": text}), NOTE)


async def get_notes(
    ctx: Ctx,
    contact_id: int | None = None,
    deal_id: int | None = None,
    company_id: int | None = None,
    limit: Limit = 10,
) -> Result:
    """Read the notes on one contact, deal or company, newest first.

    Args:
        contact_id: Contact id; without any target, the person in this conversation.
        deal_id: Deal id.
        company_id: Company id.
        limit: Most notes to give.
    """
    query = filters(**_target(ctx, contact_id, deal_id, company_id))
    query |= {"$limit": limit, "$sort": {"id": -1}, "$select": [*NOTE]}
    return page(await ctx.deps.call("notes", "find", query=query), NOTE)


TOOLS = (add_note, update_note, get_notes)
