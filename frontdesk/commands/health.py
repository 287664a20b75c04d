"""`frontdesk health`."""

import argparse
import http.client
import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from frontdesk.core.halt import UNAVAILABLE
from frontdesk.core.settings import Settings


@dataclass(frozen=True)
class Answer:
    """What `/health` said: every part's sentence, and whether all that is needed is there."""

    ready: bool
    parts: dict[str, dict[str, object]] = field(default_factory=dict)

    @property
    def missing(self) -> str:
        """The parts that are not ready, in one line."""
        if not self.parts:
            return "" if self.ready else "the HTTP process"
        return "; ".join(f"{name} ({part['detail']})" for name, part in self.parts.items() if not part["ok"])

    @property
    def waited_for(self) -> str:
        """The names alone. While everything starts, the details tell of commands that `run` gives by itself."""
        return ", ".join(name for name, part in self.parts.items() if not part["ok"]) if self.parts else self.missing


def ask(base_url: str) -> Answer:
    """Ask an installation; one that does not answer is not ready."""
    url = urlsplit(base_url)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "127.0.0.1", url.port, timeout=10)
    try:
        connection.request("GET", f"{url.path}/health")
        answer = connection.getresponse()
        return Answer(answer.status == 200, json.loads(answer.read()).get("parts", {}))
    except (OSError, ValueError, http.client.HTTPException):
        return Answer(False)
    finally:
        connection.close()


def health(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print each part; the exit status is 0 when all is ready."""
    answer = ask(settings.public_url())
    for name, part in answer.parts.items():
        print(f"{name}: {'ready' if part['ok'] else 'missing'}" + (f" ({part['detail']})" if part["detail"] else ""))
    if not answer.parts:
        print(f"Nothing answers at {settings.public_url()}.")
    return 0 if answer.ready else UNAVAILABLE
