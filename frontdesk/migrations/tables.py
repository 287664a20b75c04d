"""The one MetaData with every table in it: importing a declaration puts its table there."""

from frontdesk.core.schema import metadata
from frontdesk.registry import make_registry
from frontdesk.runtime.budget import ai_daily_usage

make_registry()
# Tables that an HTTP process never reads are not loaded by its composition root.
WORKERS_OWN = (ai_daily_usage,)

__all__ = ["WORKERS_OWN", "metadata"]
