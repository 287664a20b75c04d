"""The one MetaData with every table in it: importing a declaration puts its table there."""

from frontdesk.core.schema import metadata
from frontdesk.main import make_registry

make_registry()

__all__ = ["metadata"]
