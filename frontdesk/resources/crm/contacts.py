"""Contacts: the people a business talks to."""

from __future__ import annotations

from frontdesk.core.fields import Field
from frontdesk.core.formats import check_country, check_email, check_phone, check_phone_code
from frontdesk.core.resource import Own, Resource

contacts = Resource(
    path="contacts",
    singular="contact",
    area="crm",
    description="People the organization talks to.",
    own=Own(column="id", closed=("company_id", "owned_by_user_id")),
    fields=(
        Field("first_name", max_length=120, is_searched=True, example="Ana"),
        Field("last_name", max_length=120, is_searched=True, example="Torres"),
        Field("email", max_length=254, is_searched=True, check=check_email, example="ana@example.com"),
        Field("phone", max_length=40, is_searched=True, check=check_phone, example="5550102030"),
        Field("phone_country_code", max_length=5, check=check_phone_code, example="+1"),
        Field("phone_country_iso", max_length=2, check=check_country, example="US"),
        Field("company_id", "integer"),
        Field("owned_by_user_id", "integer", references="users", is_global_reference=True),
        Field("channel_whatsapp_wa_id", max_length=64, write="never"),
        Field("channel_instagram_user_id", max_length=64, write="never"),
        Field("system_type", is_nullable=False, default="contact", choices=("contact", "visitor"), write="never"),
        Field("avatar_url", max_length=2000),
    ),
    indexes=(("email",), ("phone",)),
)
