"""The copies of events that webhooks get: which webhook hears which event, and the body that is sent.

Set-wise in SQL, so that neither events nor bodies pass through a process. The dispatcher (`runtime/webhooks.py`) copies
what is new, a replay what was missed.
"""

from __future__ import annotations

from .caller import Role
from .event_log import HORIZON
from .event_names import audible, event_names
from .resource import Registry

MOST = 10_000  # events or deliveries of one replay

# A pattern's star stands for any text; the underscore, a wildcard of LIKE too, stands in names of events.
_COPY = """
    INSERT INTO webhook_deliveries (organization_id, webhook_id, event_id, event_name, event_at, row_id, body, status,
        due_at, attempts, created_at, updated_at)
    SELECT e.organization_id, w.id, e.xid || '-' || e.id || '-' || $1, e.name, e.created_at, e.row_id,
        json_build_object('id', e.xid || '-' || e.id || '-' || $1, 'type', e.name,
            'timestamp', to_char(e.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'organization_id', e.organization_id, 'data', e.data)::text,
        'pending', $2, 0, $2, $2
    FROM {events} e JOIN webhooks w ON w.organization_id = e.organization_id
    WHERE w.deleted_at IS NULL AND {which} AND e.name = ANY($3::text[]) AND EXISTS (
        SELECT FROM unnest(w.events) p WHERE e.name LIKE replace(replace(p, '_', '\\_'), '*', '%'))
    ORDER BY e.xid, e.id {limit}
    ON CONFLICT (organization_id, webhook_id, event_id) DO NOTHING RETURNING organization_id, webhook_id
"""
# $1 life, $2 now, $3 names, $4 and $5 the cursor, $6 how many events at most.
COPY_NEW = f"""
    WITH h AS (SELECT ({HORIZON}) AS horizon), page AS (
        SELECT e.* FROM h, LATERAL (SELECT * FROM events WHERE (xid, id) > ($4, $5) AND xid < h.horizon
            ORDER BY xid, id LIMIT $6) e
    ), made AS ({_COPY.format(events="page", which="w.is_active AND w.listens_since < e.created_at", limit="")})
    SELECT h.horizon, (SELECT count(*) FROM page) AS read, last.xid, last.id,
        ARRAY(SELECT DISTINCT organization_id || '-' || webhook_id FROM made) AS told
    FROM h LEFT JOIN LATERAL (SELECT xid, id FROM page ORDER BY xid DESC, id DESC LIMIT 1) last ON true
"""
# $4 organization, $5 webhook, $6 since. What happened while the webhook was off, or before there was one.
COPY_MISSED = _COPY.format(
    events=f"(SELECT * FROM events WHERE organization_id = $4 AND created_at >= $6 AND xid < ({HORIZON}))",
    which="""w.id = $5 AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.organization_id = $4
        AND d.webhook_id = $5 AND d.event_id = e.xid || '-' || e.id || '-' || $1)""",
    limit=f"LIMIT {MOST}",
)


def told_to_webhooks(registry: Registry) -> list[str]:
    """The events that a webhook may hear: what an admin may read, and belongs to no single user."""
    names = {name: resource for name, resource in event_names(registry).items() if resource.private_to is None}
    return sorted(audible(names, Role.admin))
