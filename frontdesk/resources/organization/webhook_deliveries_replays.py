"""Replays: one delivery once more, or all that did not arrive at a webhook since a moment."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.event_log import KEPT, life
from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource, Rights
from frontdesk.core.subscriptions import COPY_MISSED, MOST, told_to_webhooks

ACTIVE = "SELECT is_active FROM webhooks WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"
WEBHOOK_OF = "SELECT webhook_id FROM webhook_deliveries WHERE organization_id = $1 AND id = $2"
_AGAIN = """
    UPDATE webhook_deliveries SET status = 'pending', attempts = 0, due_at = $3, updated_at = $3, version = version + 1
    WHERE organization_id = $1 AND {which} RETURNING id
"""
ONE_AGAIN = _AGAIN.format(which="id = $2")
UNDELIVERED_AGAIN = _AGAIN.format(
    which=f"""id IN (SELECT id FROM webhook_deliveries WHERE organization_id = $1 AND webhook_id = $2
        AND event_at >= $4 AND status IN ('failed', 'dead') ORDER BY id LIMIT {MOST})"""
)


async def _replay(call: Call) -> None:
    """Make the deliveries due; the dispatcher rings for all that is due within a second or two."""
    data, now, organization_id = call.data, call.door.clock.now(), call.organization_id
    one, since = data.get("delivery_id"), cast("datetime | None", data.get("since"))
    if (one is None) == (data.get("webhook_id") is None):
        raise Invalid([Fault("delivery_id", "oneOf", "give either delivery_id or webhook_id")])
    if since is not None and (one is not None or not now - KEPT <= since <= now):
        raise Invalid([Fault("since", "range", f"goes with webhook_id and lies in the last {KEPT.days} days")])
    if one is not None:
        data["webhook_id"] = await call.connection.fetchval(WEBHOOK_OF, organization_id, one)
        if data["webhook_id"] is None:
            raise Invalid([Fault("delivery_id", "reference", "names no delivery that is kept")])
    if not await call.connection.fetchval(ACTIVE, organization_id, data["webhook_id"]):
        raise Invalid([Fault("webhook_id", "active", "is switched off or deleted; switch the webhook on first")])
    if one is not None:
        await call.connection.execute(ONE_AGAIN, organization_id, one, now)
        data["replayed_count"] = 1
    else:
        data["replayed_count"] = await _all_since(call, cast(int, data["webhook_id"]), since or now - KEPT, now)


async def _all_since(call: Call, webhook_id: int, since: datetime, now: datetime) -> int:
    async with call.door.database.system() as connection:
        name = await life(connection)
    again = await call.connection.fetch(UNDELIVERED_AGAIN, call.organization_id, webhook_id, now, since)
    names = told_to_webhooks(call.door.registry)
    missed = await call.connection.fetch(COPY_MISSED, name, now, names, call.organization_id, webhook_id, since)
    return len(again) + len(missed)


webhook_deliveries_replays = Resource(
    path="webhook-deliveries-replays",
    singular="replay",
    area="organization",
    description="Sends one delivery again, or with `webhook_id` everything since a moment that did not arrive: what "
    "failed, and what happened while the webhook was switched off. At most 10,000 of each at once.",
    verbs=("find", "get", "create"),
    rights=Rights(read=Role.admin, write=Role.admin),
    is_soft_deleted=False,
    is_told=False,
    fields=(
        # No reference: deliveries are forgotten after a while, replays are not.
        Field("delivery_id", "integer", write="create", minimum=1),
        Field("webhook_id", "integer", references="webhooks", write="create", example=1),
        Field(
            "since", "moment", write="create",
            description=f"From which moment on; at most {KEPT.days} days ago, which is what is taken without it.",
        ),
        Field("replayed_count", "small", is_nullable=False, default=0, write="never"),
    ),
    prepare=_replay,
    default_sort=(("id", -1),),
)  # fmt: skip
