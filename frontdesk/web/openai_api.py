"""The models of an organization for any OpenAI client: `/v1/chat/completions` and `/v1/models`.

Keys stay here: the client sends its API key of Frontdesk, and the request is asked, bounded and counted like the
composer's. Errors have OpenAI's form, because its clients read them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from frontdesk.core.caller import Caller
from frontdesk.core.completions import Completed, Completion, CompletionFailed
from frontdesk.core.door import Door
from frontdesk.core.errors import ApiError, BadRequest, Invalid, Json, NotFound
from frontdesk.core.query import MAX_LIMIT
from frontdesk.core.request_limits import RequestLimits
from frontdesk.resources.assistants.completion_costs import ask, check_budget, completions_of, count, refusal
from frontdesk.resources.organization.api_keys import PREFIX

from .body import parse_json, read_body
from .identity import Identities
from .openai_request import DEFAULT, ChatRequest, completion_of, model_id_of, read_chat_request
from .responses import SAFE_HEADERS, json_response
from .rest import NUMBER, Headers, credentials

KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error", 503: "server_error"}
Pieces = AsyncIterator[str | Completed]
Endpoint = Callable[[Request], Awaitable[Response]]


class OpenAIEdge:
    """The endpoints, and who may use them: any member."""

    def __init__(self, door: Door, identities: Identities, limits: RequestLimits) -> None:
        self.door, self.identities, self.limits = door, identities, limits

    def routes(self) -> list[Route]:
        return [
            Route("/v1/chat/completions", _answered(self.complete), methods=["POST"]),
            Route("/v1/models", _answered(self.models), methods=["GET"]),
            Route("/v1/models/{name}", _answered(self.model), methods=["GET"]),
        ]

    async def complete(self, request: Request) -> Response:
        """One answer, whole or as server-sent events that end with `[DONE]`."""
        caller = await self._caller(request)
        headers: Headers = dict(request.scope["headers"])
        body = parse_json(await read_body(headers, request.receive), headers.get(b"content-type", b""))
        asked = read_chat_request(body)  # type: ignore[arg-type]
        completion = completion_of(asked, caller.organization_id)
        if completion.ai_model_id is not None:
            await self._row(caller, completion.ai_model_id)
        if asked.stream:
            return await self._stream(asked, completion)
        done = await ask(self.door, completion)
        choice: Json = {
            "index": 0, "finish_reason": "stop", "logprobs": None,
            "message": {"role": "assistant", "content": done.text, "refusal": None},
        }  # fmt: skip
        return json_response({**self._head(asked, "chat.completion"), "choices": [choice], "usage": _usage(done)})

    async def models(self, request: Request) -> Response:
        """The models that the organization can use, by the names that requests give."""
        caller = await self._caller(request)
        found: list[Json] = [_shown(DEFAULT, "frontdesk")]
        query: dict[str, object] = {"$limit": MAX_LIMIT, "$skip": 0, "$select": ["id", "provider"]}
        while True:
            page = (await self.door.call(caller, "ai-models", "find", query=query)).value
            rows = page["data"]
            assert isinstance(rows, list)
            found += [_shown(f"model-{row['id']}", str(row["provider"])) for row in rows if isinstance(row, dict)]
            if len(rows) < MAX_LIMIT:
                return json_response({"object": "list", "data": found})
            query["$skip"] = len(found) - 1

    async def model(self, request: Request) -> Response:
        """One of them; 404 for any other name."""
        caller, name = await self._caller(request), request.path_params["name"]
        id = model_id_of(name)
        return json_response(_shown(name, "frontdesk" if id is None else await self._row(caller, id)))

    async def _caller(self, request: Request) -> Caller:
        """An API key of ours comes as OpenAI's do, as the bearer token; so does a login's token."""
        key, bearer = credentials(dict(request.scope["headers"]))
        if key is None and bearer is not None and bearer.startswith(PREFIX):
            key, bearer = bearer, None
        identity = await self.identities.identify(key, bearer)
        if identity.quota:
            await self.limits.admit(identity.organization_id, identity.quota)
        wanted = request.headers.get("openai-organization", "").strip()
        if wanted and not NUMBER.fullmatch(wanted):
            raise BadRequest("OpenAI-Organization must be the number of an organization.")
        return identity.caller(int(wanted) if wanted else None)

    async def _row(self, caller: Caller, id: int) -> str:
        """The provider of a model that the organization can use. Raises `NotFound`."""
        try:
            row = await self.door.call(caller, "ai-models", "get", id=id)
        except NotFound:
            raise NotFound(f"There is no model-{id}; GET /v1/models lists the models.") from None
        return str(row.value["provider"])

    async def _stream(self, asked: ChatRequest, completion: Completion) -> Response:
        """The stream, once its first piece is there: what fails before has a status of its own."""
        await check_budget(self.door, completion.organization_id)
        pieces = completions_of(self.door).stream(completion)
        try:
            first = await anext(pieces)
        except CompletionFailed as failed:
            raise refusal(failed) from failed
        events = self._events(asked, completion, first, pieces)
        return StreamingResponse(events, headers=dict(SAFE_HEADERS), media_type="text/event-stream")

    async def _events(
        self, asked: ChatRequest, completion: Completion, first: str | Completed, pieces: Pieces
    ) -> AsyncIterator[bytes]:
        head = self._head(asked, "chat.completion.chunk")
        yield _chunk(head, {"role": "assistant", "content": ""})
        try:
            if isinstance(first, str):
                yield _chunk(head, {"content": first})
            async for piece in pieces:
                if isinstance(piece, str):
                    yield _chunk(head, {"content": piece})
                    continue
                await count(self.door, completion.organization_id, piece)
                yield _chunk(head, {}, "stop")
                if asked.stream_options is not None and asked.stream_options.include_usage:
                    yield _event({**head, "choices": [], "usage": _usage(piece)})
        except CompletionFailed as failed:
            yield _event(_error(refusal(failed)))
            return
        yield b"data: [DONE]\n\n"

    def _head(self, asked: ChatRequest, kind: str) -> dict[str, Json]:
        created = int(self.door.clock.now().timestamp())
        return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": created, "model": asked.model}


def _answered(endpoint: Endpoint) -> Endpoint:
    """The endpoint with its errors in OpenAI's form."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ApiError as error:
            return json_response(_error(error), error.status, error.headers)

    return answer


def _error(error: ApiError) -> dict[str, Json]:
    path, sentence = next(iter(error.errors.items()), (None, ""))
    message = f"{path} {sentence}." if isinstance(error, Invalid) else error.message
    code = error.data.get("code") if isinstance(error.data, dict) else None
    kind = KINDS.get(error.status, "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": path, "code": code}}


def _shown(name: str, owner: str) -> dict[str, Json]:
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}


def _usage(done: Completed) -> dict[str, Json]:
    return {
        "prompt_tokens": done.input_tokens, "completion_tokens": done.output_tokens,
        "total_tokens": done.input_tokens + done.output_tokens,
    }  # fmt: skip


def _chunk(head: dict[str, Json], delta: dict[str, Json], finish_reason: str | None = None) -> bytes:
    choice: Json = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return _event({**head, "choices": [choice]})


def _event(data: dict[str, Json]) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
