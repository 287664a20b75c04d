"""The one MetaData with every table in it: importing a declaration puts its table there."""

from frontdesk.channels.webchat import webchat_visitors
from frontdesk.core.event_log import event_marks, events
from frontdesk.core.heartbeats import heartbeats
from frontdesk.core.rates import rate_counters
from frontdesk.core.request_limits import rate_ledgers
from frontdesk.core.schema import metadata
from frontdesk.registry import make_registry
from frontdesk.runtime.budget import ai_assistant_daily_usage, ai_daily_usage

make_registry()
# Tables of no resource, which the registry therefore does not bring.
WITHOUT_RESOURCE = (
    ai_assistant_daily_usage,
    ai_daily_usage,
    event_marks,
    events,
    heartbeats,
    rate_counters,
    rate_ledgers,
    webchat_visitors,
)

__all__ = ["WITHOUT_RESOURCE", "metadata"]
