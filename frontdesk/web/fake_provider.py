"""`POST /channels/fake/{key}`: what a customer writes, or what became of a message, without a real provider.

Only while `FRONTDESK_FAKE_PROVIDER` is set, and only for an inbox channel whose provider is `fake`. The channel's
public key in the address stands for the signature that a real provider sends.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from frontdesk.arrivals import STATUSES, Arrival, Report, arrive, report
from frontdesk.core.capabilities import CONVERSATION_CHANNELS
from frontdesk.core.door import Door
from frontdesk.core.errors import ApiError, BadRequest, Json, NotFound
from frontdesk.web.body import parse_json, read_body
from frontdesk.web.responses import error_response, json_response

MOST_BYTES = 100_000
CHANNEL = """
    SELECT id, organization_id, channel FROM inbox_channels
    WHERE public_key = $1 AND provider = 'fake' AND is_active AND deleted_at IS NULL
"""
MESSAGE = {
    "from": "address", "id": "external_id", "text": "text", "type": "message_type", "name": "name", "emoji": "emoji",
    "reacts_to": "reacts_to", "replies_to": "replies_to",
}  # fmt: skip
MEDIA = ("media_url", "file_name", "file_type")


class FakeProviderEdge:
    """The way in of the fake provider; `routes` is empty where the operator has not asked for it."""

    def __init__(self, door: Door, *, is_on: bool) -> None:
        self.door, self.is_on = door, is_on

    def routes(self) -> list[Route]:
        return [Route("/channels/fake/{key}", self.endpoint, methods=["POST"])] if self.is_on else []

    async def endpoint(self, request: Request) -> Response:
        try:
            return json_response(await self._take(request), 202)
        except ApiError as error:
            return error_response(error)

    async def _take(self, request: Request) -> dict[str, Json]:
        body = await read_body(dict(request.scope["headers"]), request.receive, MOST_BYTES)
        said = parse_json(body, request.headers.get("content-type", "").encode())
        if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
            raise BadRequest("The body must be a JSON object of texts.")
        async with self.door.database.system() as connection:
            row = await connection.fetchrow(CHANNEL, request.path_params["key"])
        if row is None or row["channel"] not in CONVERSATION_CHANNELS:
            raise NotFound("There is no inbox channel with this key whose provider is the fake one.")
        place = (row["organization_id"], row["id"], row["channel"])
        return await (self._report(place, said) if "status" in said else self._arrive(place, said))

    async def _arrive(self, place: tuple[int, int, str], said: Mapping[str, str]) -> dict[str, Json]:
        _check(said, ("from", "id"), (*MESSAGE, *MEDIA))
        media: dict[str, Json] = {name: said[name] for name in MEDIA if name in said}
        values: dict[str, object] = {MESSAGE[name]: said[name] for name in said if name in MESSAGE}
        stored = await arrive(self.door, Arrival(*place, media=media, **values))  # type: ignore[arg-type]
        return {"message_id": stored.id if stored else None}

    async def _report(self, place: tuple[int, int, str], said: Mapping[str, str]) -> dict[str, Json]:
        _check(said, ("id", "status"), ("id", "status", "error"))
        if said["status"] not in STATUSES:
            raise BadRequest(f"status must be one of {', '.join(STATUSES)}.", errors={"status": "is not known"})
        return {"changed": await report(self.door, Report(*place, said["id"], said["status"], said.get("error")))}


def _check(said: Mapping[str, str], needed: tuple[str, ...], known: tuple[str, ...]) -> None:
    errors = {name: "is required" for name in needed if not said.get(name)}
    errors |= {name: "is not known" for name in said if name not in known}
    if errors:
        raise BadRequest("The message cannot be read.", errors=errors)
