"""Fake providers: for tests in this process, and over HTTP for trying an installation out without an account anywhere.

They take what the real ones take and behave as they do: they give ids, recognise keys or not, refuse, are away. No
message reaches anybody. `docs/how-to/try-channels-without-a-provider.md` says how to switch the HTTP one on.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import httpx2
from pydantic_core import to_json

from frontdesk.channels.protocol import Outgoing
from frontdesk.core.errors import Unavailable, Unprocessable

LONGEST_REASON = 300  # characters of a refusal that are kept


@dataclass
class FakeProvider:
    """Keeps what it was given. `faults` are raised one by one, None lets a send pass; a `BaseException` that is no
    error of ours is a crash after the provider has taken the message."""

    takes_keys: bool = True
    accepted: list[Outgoing] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    faults: list[BaseException | None] = field(default_factory=list)

    async def send(self, channel: str, part: Outgoing) -> str | None:
        fault = self.faults.pop(0) if self.faults else None
        if fault is None or not isinstance(fault, Exception):
            if not self.takes_keys or part.idempotency_key not in self.keys:
                self.accepted.append(part)
            self.keys.append(part.idempotency_key)
        if fault is not None:
            raise fault
        return f"fake-{part.idempotency_key}"

    @property
    def texts(self) -> list[str]:
        """What customers have read, in order."""
        return [part.text for part in self.accepted]


@dataclass(frozen=True)
class HttpFake:
    """Sends each part as JSON to `{url}/messages`, where a recorder of your own stands (`FRONTDESK_FAKE_PROVIDER`).

    200 to 299 is accepted, `id` in the answer is its id there; 429 and 5xx are tried again; everything else refuses
    the message, with `error` of the answer as the reason. `Idempotency-Key` is the same for each try.
    """

    client: httpx2.AsyncClient
    url: str
    takes_keys: bool = True

    async def send(self, channel: str, part: Outgoing) -> str | None:
        headers = {"content-type": "application/json", "idempotency-key": part.idempotency_key}
        body = to_json({"channel": channel, **asdict(part)})
        try:
            answer = await self.client.post(f"{self.url}/messages", content=body, headers=headers)
        except httpx2.HTTPError as error:
            raise Unavailable(f"The fake provider cannot be reached ({type(error).__name__}).") from error
        if answer.status_code == 429 or answer.status_code >= 500:
            raise Unavailable(f"The fake provider answered {answer.status_code}.")
        said = _members(answer)
        if not answer.is_success:
            raise Unprocessable(str(said.get("error") or f"The fake provider answered {answer.status_code}."))
        return str(said["id"])[:LONGEST_REASON] if said.get("id") else None


def _members(answer: httpx2.Response) -> dict[str, object]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return {name: str(value)[:LONGEST_REASON] for name, value in body.items()} if isinstance(body, dict) else {}
