"""The playground: where an organization's own people try an assistant. The tester writes as the customer."""

from __future__ import annotations

from frontdesk.channels.protocol import LocalChannel

PLAYGROUND = LocalChannel("playground")
