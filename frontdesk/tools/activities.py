"""Activities: visits, calls and tasks in the calendar of the staff."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated

from pydantic import Field

from .arguments import Ctx, Limit, filters, given, needs_one
from .results import Result, page, row

ACTIVITY = (
    "id", "subject", "activity_type", "start_date", "start_time", "end_date", "end_time", "duration", "done", "note",
    "public_description", "location", "assigned_to_user_id", "deal_id", "contact_id", "company_id",
)  # fmt: skip
SHORT = ("id", "subject", "activity_type", "start_date", "start_time", "done", "assigned_to_user_id", "contact_id")
Minutes = Annotated[int, Field(ge=0, le=100_000)]


async def get_activities(
    ctx: Ctx,
    contact_id: int | None = None,
    deal_id: int | None = None,
    company_id: int | None = None,
    assigned_to_user_id: int | None = None,
    done: bool | None = None,
    from_date: date | None = None,
    to_date: date | None = None,
    limit: Limit = 10,
) -> Result:
    """Read activities in the order of their time.

    Args:
        contact_id: Only with this contact.
        deal_id: Only for this deal.
        company_id: Only with this company.
        assigned_to_user_id: Only of this member.
        done: Only done ones, or only open ones.
        from_date: From this day on.
        to_date: Up to and with this day.
        limit: Most activities to give.
    """
    query = filters(
        contact_id=contact_id,
        deal_id=deal_id,
        company_id=company_id,
        assigned_to_user_id=assigned_to_user_id,
        done=done,
    )
    days = filters(**{"$gte": from_date, "$lte": to_date})
    query |= {"start_date": days} if days else {}
    query |= {"$limit": limit, "$sort": {"start_date": 1, "start_time": 1}, "$select": [*SHORT]}
    return page(await ctx.deps.call("activities", "find", query=query), SHORT)


async def create_activity(
    ctx: Ctx,
    subject: str,
    activity_type: str,
    start_date: date,
    start_time: time | None = None,
    end_date: date | None = None,
    end_time: time | None = None,
    duration: Minutes | None = None,
    note: str | None = None,
    public_description: str | None = None,
    location: str | None = None,
    assigned_to_user_id: int | None = None,
    deal_id: int | None = None,
    contact_id: int | None = None,
    company_id: int | None = None,
) -> Result:
    """Put an activity into the team's calendar.

    Args:
        subject: What it is.
        activity_type: Key of its type, e.g. "call", "meeting", "email".
        start_date: Day.
        start_time: Local time; left out: all day.
        end_date: Last day.
        end_time: Local time of the end; or give duration.
        duration: Minutes.
        note: For the team only.
        public_description: May be shown to the guests.
        location: Where.
        assigned_to_user_id: Who does it, see find_organization_members.
        deal_id: For which deal.
        contact_id: With whom; left out: the person in this conversation.
        company_id: With which company.
    """
    data = given(
        subject=subject, activity_type=activity_type, start_date=start_date, start_time=start_time, end_date=end_date,
        end_time=end_time, duration=duration, note=note, public_description=public_description, location=location,
        assigned_to_user_id=assigned_to_user_id, deal_id=deal_id, company_id=company_id,
    )  # fmt: skip
    chosen = ctx.deps.contact_id if contact_id is None else contact_id
    data |= {} if chosen is None else {"contact_id": chosen}
    return row(await ctx.deps.call("activities", "create", data=data), ACTIVITY)


async def update_activity(
    ctx: Ctx,
    activity_id: int,
    subject: str | None = None,
    done: bool | None = None,
    start_date: date | None = None,
    start_time: time | None = None,
    end_date: date | None = None,
    end_time: time | None = None,
    duration: Minutes | None = None,
    note: str | None = None,
    public_description: str | None = None,
    location: str | None = None,
    assigned_to_user_id: int | None = None,
) -> Result:
    """Change an activity, move it, or mark it done. Give only what changes.

    Args:
        activity_id: Activity id.
        subject: New subject.
        done: Whether it is done.
        start_date: New day.
        start_time: New local time.
        end_date: New last day.
        end_time: New local time of the end.
        duration: New length in minutes.
        note: New note for the team.
        public_description: New public text.
        location: New place.
        assigned_to_user_id: Who does it now.
    """
    data = given(
        subject=subject, done=done, start_date=start_date, start_time=start_time, end_date=end_date, end_time=end_time,
        duration=duration, note=note, public_description=public_description, location=location,
        assigned_to_user_id=assigned_to_user_id,
    )  # fmt: skip
    needs_one(data, "subject, done, start_date, start_time, duration, note, location, assigned_to_user_id")
    return row(await ctx.deps.call("activities", "patch", id=activity_id, data=data), ACTIVITY)


TOOLS = (get_activities, create_activity, update_activity)
