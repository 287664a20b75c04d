"""Contacts: the people a business talks to.

Two contacts may have the same e-mail address or phone number (a family shares one); who turns out to be the same
person is merged.
"""

from __future__ import annotations

from sqlalchemy import Column, Computed, Index, Text, text

from frontdesk.assistants.follow_up_endings import stop_by_opting_out
from frontdesk.core.changes import changed
from frontdesk.core.door import Call
from frontdesk.core.fields import Field
from frontdesk.core.formats import check_country, check_email, check_phone, check_phone_code
from frontdesk.core.joins import joined
from frontdesk.core.phones import Country, country_of
from frontdesk.core.resource import Own, Resource
from frontdesk.core.uploads import claim_address, key_in_address

from .contact_tags import BY_TAG, TAG_IDS, check_tags, put_tags, tags_of

DIGITS = (
    "regexp_replace(CASE WHEN phone LIKE '+%' THEN phone ELSE coalesce(phone_country_code, '') || phone END,"
    " '[^0-9]', '', 'g')"
)
PHONE = ("phone", "phone_country_code", "phone_country_iso")


def _is_light(call: Call) -> bool:
    """Most contacts come without what the hooks would look up: tags, and an avatar that lies with us."""
    return call.data.get("tag_ids") is None and key_in_address(call.data.get("avatar_url")) is None


async def _prepare(call: Call) -> None:
    await _complete_phone(call)
    await check_tags(call)
    await claim_address(call, "avatar_url", "avatar")


async def _complete_phone(call: Call) -> None:
    given = changed(call, PHONE)
    if not given:
        return
    stored = {} if call.before is None else {name: call.before[name] for name in PHONE}
    if str(given.get("phone") or "").startswith("+"):
        stored = {}  # such a number brings its country itself, in place of that of the number before
    phone, code, iso = (_text({**stored, **given}.get(name)) for name in PHONE)
    country = country_of(phone, Country(code, iso), "phone" if "phone" in given else next(iter(given)))
    call.data |= {"phone_country_code": country.code, "phone_country_iso": country.iso}


async def _finish(call: Call) -> None:
    await put_tags(call)
    if call.verb == "patch" and call.data.get("opted_out_at") is not None and call.id is not None:
        await stop_by_opting_out(call.connection, call.organization_id, [call.id], call.door.clock.now())


def _text(value: object) -> str | None:
    return None if value is None else str(value)


contacts = Resource(
    path="contacts",
    singular="contact",
    area="crm",
    description="People the organization talks to.",
    own=Own(column="id", closed=("company_id", "owned_by_user_id", "tag_ids"), hidden=("tags",)),
    has_custom_fields=True,
    fields=(
        Field("first_name", max_length=120, is_searched=True, example="Ana"),
        Field("last_name", max_length=120, is_searched=True, example="Torres"),
        Field("email", max_length=254, is_searched=True, check=check_email, example="ana@example.com"),
        Field("phone", max_length=40, is_searched=True, check=check_phone, example="5550102030"),
        Field("phone_country_code", max_length=5, check=check_phone_code, example="+1"),
        Field("phone_country_iso", max_length=2, check=check_country, example="US"),
        Field("company_id", "integer", references="companies", on_remove="clear"),
        Field("owned_by_user_id", "integer", references="users", is_global_reference=True),
        Field("channel_whatsapp_wa_id", max_length=64, write="never"),
        Field("channel_instagram_user_id", max_length=64, write="never"),
        Field("system_type", is_nullable=False, default="contact", choices=("contact", "visitor"), write="never"),
        Field("avatar_url", max_length=2000),
        Field(
            "merged_into_contact_id",
            "integer",
            references="contacts",
            write="never",
            description="Of a deleted contact: the one with which it was merged.",
        ),
        Field("opted_out_at", "moment", description="Since when they want no broadcasts and no follow-ups."),
    ),
    joins={
        "owner": joined("users", "owned_by_user_id", "id", "first_name", "last_name"),
        "company": joined("companies", "company_id", "id", "name"),
        "tags": tags_of,
    },
    flags={"fastJoinForContactList": ("owner", "company")},
    indexes=(("email",), ("phone",), ("created_at",)),
    # By these a provider's number finds its contact (`runtime/correspondents.py`), however it was written down.
    constraints=(
        Index(
            "ix_contacts_wa_id",
            text("organization_id"),
            text("channel_whatsapp_wa_id"),
            postgresql_where=text("channel_whatsapp_wa_id IS NOT NULL AND deleted_at IS NULL"),
        ),
        Index(
            "ix_contacts_lower_email",
            text("organization_id"),
            text("lower(email)"),
            postgresql_where=text("email IS NOT NULL AND deleted_at IS NULL"),
        ),
        # The numbers of merged contacts still lead to the one that was kept.
        Index(
            "ix_contacts_merged_wa_id",
            text("organization_id"),
            text("channel_whatsapp_wa_id"),
            postgresql_where=text("merged_into_contact_id IS NOT NULL"),
        ),
    ),
    extra_input=(TAG_IDS,),
    filters={"tag_id": BY_TAG},
    light=_is_light,
    prepare=_prepare,
    finish=_finish,
)

# Stored, because under a row-level policy an index on an expression is not used to look a value up: the expression's
# functions are not leakproof, the equality of texts is.
contacts.table.append_column(Column("phone_digits", Text, Computed(DIGITS, persisted=True)))
Index(
    "ix_contacts_phone_digits",
    contacts.table.c.organization_id,
    contacts.table.c.phone_digits,
    postgresql_where=text("phone_digits IS NOT NULL AND deleted_at IS NULL"),
)
Index(
    "ix_contacts_merged_phone_digits",
    contacts.table.c.organization_id,
    contacts.table.c.phone_digits,
    postgresql_where=text("merged_into_contact_id IS NOT NULL"),
)
