"""Where authorization servers send people back to, and the document by which they know us."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from frontdesk.assistants.mcp_sign_in import Application
from frontdesk.core.door import Door
from frontdesk.core.errors import NotFound
from frontdesk.resources.assistants.mcp_sign_ins import Done, NotSignedIn, complete

from .responses import json_response
from .unsubscribe import HEADERS, PAGE, STYLE

CACHED = {"cache-control": "public, max-age=3600"}
# By language: what is shown when it worked, and why it may not have.
DONE = {
    "en": ("Signed in", "{organization}: the assistant {assistant} may use {server} now. You can close this window."),
    "es": ("Sesión iniciada", "{organization}: el asistente {assistant} ya puede usar {server}. Puedes cerrar esto."),
}  # fmt: skip
FAILED = {"en": "Not signed in", "es": "No se inició la sesión"}
WHY = {
    "en": {
        "unknown": "This sign-in is not known any more: it works once, for ten minutes. Begin a new one.",
        "no_right": "Whoever began this sign-in may not change assistants any more.",
        "denied": "The other side did not let you in, or you said no. Nothing was changed.",
        "failed": "The other side did not finish it: {clause}.",
        "changed": "The server was changed in the assistant meanwhile. Begin a new sign-in.",
        "busy": "Somebody else is changing the assistant. Begin a new sign-in.",
    },
    "es": {
        "unknown": "Este inicio de sesión ya no se conoce: sirve una vez, durante diez minutos. Empieza uno nuevo.",
        "no_right": "Quien empezó este inicio de sesión ya no puede cambiar asistentes.",
        "denied": "El otro lado no te dejó entrar, o dijiste que no. No se cambió nada.",
        "failed": "El otro lado no lo terminó: {clause}.",
        "changed": "El servidor se cambió en el asistente mientras tanto. Empieza un nuevo inicio de sesión.",
        "busy": "Otra persona está cambiando el asistente. Empieza un nuevo inicio de sesión.",
    },
}


class McpOauthEdge:
    """`/mcp-oauth/callback` ends a sign-in, `/mcp-oauth/client.json` is our client id metadata document."""

    def __init__(self, door: Door) -> None:
        self.door = door

    def routes(self) -> list[Route]:
        return [
            Route("/mcp-oauth/callback", self.callback, methods=["GET"]),
            Route("/mcp-oauth/client.json", self.client, methods=["GET"]),
        ]

    async def callback(self, request: Request) -> Response:
        """The state says who began it, for what; there is no other login here. It works once."""
        language = "es" if request.headers.get("accept-language", "").lower().startswith("es") else "en"
        try:
            done = await complete(self.door, request.query_params)
        except NotSignedIn as failed:
            text = WHY[language][failed.why].format(clause=failed.clause)
            return _page(language, FAILED[language], text, 400)
        return _done(language, done)

    async def client(self, request: Request) -> Response:
        """The document whose address is our client id; there is none where we are not reached by https."""
        application = Application.at(self.door.mail.base_url)
        if application.metadata_url is None:
            raise NotFound("This installation has no address that begins with https.")
        metadata = application.metadata().model_dump(mode="json", exclude_none=True)
        document = {**metadata, "client_id": application.metadata_url, "token_endpoint_auth_method": "none"}
        answer = json_response(document)
        answer.headers.update(CACHED)
        return answer


def _done(language: str, done: Done) -> Response:
    title, text = DONE[language]
    shown = text.format(organization=done.organization, assistant=done.assistant, server=done.server)
    return _page(language, title, shown)


def _page(language: str, title: str, text: str, status: int = 200) -> Response:
    body = PAGE.format(language=language, title=title, text=escape(text), form="", style=STYLE)
    return Response(body, status, HEADERS, "text/html; charset=utf-8")
