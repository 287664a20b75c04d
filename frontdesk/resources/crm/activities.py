"""Activities: calls, meetings, tasks and the like, planned and done. When one is, is in `activity_times.py`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time

from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid, Json
from frontdesk.core.fields import Field, Plain, Wrong
from frontdesk.core.formats import check_timezone
from frontdesk.core.joins import full_name, joined
from frontdesk.core.resource import Own, Resource

from .activity_times import TIMES, check_day, check_minutes, check_wall_time, settle

KEYS = "SELECT key FROM activity_types WHERE organization_id = $1 AND deleted_at IS NULL ORDER BY id"
ZONE = "SELECT timezone FROM organizations WHERE id = $1"
READ: dict[str, Callable[[str], Plain]] = {
    "start_date": date.fromisoformat, "end_date": date.fromisoformat,
    "start_time": time.fromisoformat, "end_time": time.fromisoformat,
}  # fmt: skip
BOUNDS = {"lat": 90, "lng": 180}
PLACE: dict[str, Json] = {
    "properties": {
        "lat": {"type": "number", "minimum": -90, "maximum": 90},
        "lng": {"type": "number", "minimum": -180, "maximum": 180},
        "address": {"type": ["string", "null"], "maxLength": 500},
    },
    "required": ["lat", "lng"],
    "additionalProperties": False,
}


def check_place(value: Plain) -> Plain:
    """A point in degrees, with its address where that is known."""
    place = value if isinstance(value, dict) else {}
    if set(place) - {"address"} != set(BOUNDS):
        raise Wrong("required", "must be an object of lat, lng and, if known, address")
    for name, bound in BOUNDS.items():
        degrees = place[name]
        if isinstance(degrees, bool) or not isinstance(degrees, int | float) or not -bound <= degrees <= bound:
            raise Wrong("maximum", f"must have a {name} from -{bound} to {bound}", limit=bound)
    address = place.get("address")
    if address is not None and not (isinstance(address, str) and len(address) <= 500):
        raise Wrong("maxLength", "must have an address of at most 500 characters", limit=500)
    return {"lat": place["lat"], "lng": place["lng"], "address": address}


async def _prepare(call: Call) -> None:
    if call.verb == "remove":
        return
    before = call.before or {}
    if call.data.get("activity_type", before.get("activity_type")) != before.get("activity_type"):
        await _check_type(call)
    stored = {name: _read(name, before.get(name)) for name in TIMES}
    given = {name: call.data[name] for name in TIMES if name in call.data and call.data[name] != stored[name]}
    if call.verb == "create":
        given.setdefault("timezone", await call.connection.fetchval(ZONE, call.organization_id))
        if call.caller.user_id is not None:
            # Who plans something for nobody in particular plans it for themselves, by an assistant of the team too.
            call.data.setdefault("assigned_to_user_id", call.caller.user_id)
    if given:
        call.data |= settle(stored, given)
    done = call.data.get("done")
    if done is not None and done != before.get("done"):
        call.data["done_at"] = call.door.clock.now() if done else None


async def _check_type(call: Call) -> None:
    keys: list[Json] = [row["key"] for row in await call.connection.fetch(KEYS, call.organization_id)]
    if call.data["activity_type"] not in keys:
        message = f"must be the key of an activity type: {', '.join(map(str, keys))}"
        raise Invalid([Fault("activity_type", "enum", message, allowedValues=keys)])


def _read(name: str, stored: Json) -> Plain:
    return READ[name](str(stored)) if name in READ and stored is not None else stored


def _day(name: str, example: str) -> Field:
    return Field(name, "date", check=check_day, example=example)


def _clock(name: str, example: str) -> Field:
    return Field(name, "time", check=check_wall_time, example=example, description="In the activity's time zone.")


activities = Resource(
    path="activities",
    singular="activity",
    area="crm",
    description="Calls, meetings, tasks and the like, planned and done.",
    own=Own(column="contact_id", hidden=("note",)),
    has_custom_fields=True,
    fields=(
        Field("subject", is_required=True, is_nullable=False, max_length=250, is_searched=True, example="Call back"),
        Field(
            "activity_type", is_required=True, is_nullable=False, max_length=64, example="call",
            description="The key of an activity type.",
        ),
        Field("note", max_length=10_000, description="For the staff."),
        Field("public_description", max_length=10_000, is_searched=True, description="What guests may read."),
        Field("location", max_length=500, is_searched=True),
        Field("location_geocoded", "json", check=check_place, schema=PLACE),
        _day("start_date", "2026-03-02"),
        _clock("start_time", "14:30:00"),
        _day("end_date", "2026-03-02"),
        _clock("end_time", "15:00:00"),
        Field(
            "duration", "small", minimum=0, check=check_minutes, example=30,
            description="Minutes from start to end: either is made from the other, and both must agree.",
        ),
        Field(
            "timezone", is_nullable=False, max_length=64, check=check_timezone,
            description="Where dates and times are: an IANA time zone; the organization's when left out.",
        ),
        Field("assigned_to_user_id", "integer", references="users", is_global_reference=True),
        Field("deal_id", "integer", references="deals", on_remove="clear"),
        Field("contact_id", "integer", references="contacts", on_remove="clear"),
        Field("company_id", "integer", references="companies", on_remove="clear"),
        Field("done", "boolean", is_nullable=False, default=False, description="Set it to mark the activity complete."),
        Field("done_at", "moment", write="never"),
    ),
    joins={
        "created_by_user": joined("users", "created_by_user_id", "id", computed={"full_name": full_name}),
        "assigned_to_user": joined("users", "assigned_to_user_id", "id", computed={"full_name": full_name}),
        "deal": joined("deals", "deal_id", "id", "name"),
        "contact": joined("contacts", "contact_id", "id", computed={"full_name": full_name}),
        "company": joined("companies", "company_id", "id", "name"),
    },
    # The list of a user's day, and that of everybody's.
    indexes=(("assigned_to_user_id", "start_date", "start_time"), ("start_date", "start_time")),
    default_sort=(("start_date", 1), ("start_time", 1)),
    prepare=_prepare,
)  # fmt: skip
