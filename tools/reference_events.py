"""The generated page of the events: their names, who hears them, how they come."""

from collections.abc import Iterator, Sequence

from reference_pages import page, table

from frontdesk.core import event_feed, event_log
from frontdesk.core.event_names import WRITTEN, event_names, told_by
from frontdesk.core.resource import Resource
from frontdesk.registry import make_registry
from frontdesk.runtime import webhook_dispatch, webhook_post, webhooks
from frontdesk.web import events as live


def events() -> str:
    """Every event, and the numbers of both ways in which they come."""
    registry = make_registry()
    told = [resource for resource in registry if told_by(resource)]
    assert len(event_names(registry)) == sum(len(told_by(resource)) for resource in told)
    return page(
        "Events",
        "Each write of a row leaves an event, in the transaction that writes. `GET /events` tells of them\n"
        "[as they happen](../how-to/follow-live-events.md), webhooks [send them](../how-to/receive-webhooks.md).\n"
        "Both give:",
        '```json\n{"id": "81342-7-9f31c2", "type": "contacts.created", "timestamp": "2026-01-05T12:00:00.000Z",\n'
        ' "organization_id": 1, "data": {"id": 12, "first_name": "Marta", "version": 1}}\n```',
        "- `data` is the row as it was then, with the fields that a GET shows, no joined members or custom values.\n"
        "- `updated` is told when `version` grew. A message moves counters of its conversation, and tells of itself.\n"
        "- The order is that in which transactions begin to write, and within one that of its writes. Nothing is told\n"
        "  before it is committed, nothing that was rolled back, and nothing that commits late is passed over.\n"
        "- `id` never comes twice in the life of a database: who sees one again has seen that event before.",
        "## Names",
        "A pattern is a name, `contacts.*`, `*.deleted`, or `*`. The role is the least that hears the event: that\n"
        "which may read the row.",
        table(("resource", "its events", "heard by"), (row(resource) for resource in told)),
        "## What more becomes of a row",
        "These come behind the `updated` of the same row, with the same `data`; those that say so have their own.",
        table(("event", "when"), (more for resource in told for more in further(resource))),
        "## Numbers",
        table(("", "value"), NUMBERS),
    )


def row(resource: Resource) -> Sequence[str]:
    names = ", ".join(f"`{name}`" for name in told_by(resource))
    only = "; `/events` only, a private row its user only" if resource.private_to else ""
    return f"`{resource.path}`", names, f"`{resource.rights.needed('get').name}`{only}"


def further(resource: Resource) -> Iterator[Sequence[str]]:
    for name, sentence in resource.tells.items():
        if name not in WRITTEN:
            yield f"`{resource.path}.{name}`", sentence


def pauses() -> str:
    return ", ".join(
        f"{s} s" if s < 60 else f"{s // 60} min" if s < 3600 else f"{s // 3600} h" for s in webhooks.PAUSES
    )


NUMBERS: tuple[Sequence[str], ...] = (
    ("events are kept", f"{event_log.KEPT.days} days; an older cursor gets `resync`"),
    ("the stream looks for new events every", f"{event_feed.EVERY:g} s"),
    ("sign of life on a silent stream every", f"{live.HEARTBEAT:g} s"),
    ("a revoked key or login loses its streams within", f"{live.CHECK_EVERY + 2:g} s"),
    ("open streams of one organization in one process", f"{live.MOST_STREAMS:,}, then 429"),
    ("webhooks are given to the senders every", f"{webhook_dispatch.EVERY:g} s"),
    ("an attempt lasts at most", f"{webhook_post.SECONDS:g} s"),
    ("pauses between attempts, and up to a fifth more", pauses()),
    ("attempts of a delivery", str(len(webhooks.PAUSES) + 1)),
    ("a webhook is switched off when nothing has arrived for", f"{webhooks.PATIENCE.days} days, or at once by 410"),
    ("attempts at one webhook at the same time", f"{webhooks.AT_ONCE} in each worker"),
    ("deliveries are kept", f"{webhook_dispatch.DELIVERIES_KEPT.days} days"),
)
