"""The link in a broadcast by which a recipient opts out. A page asks first, because mail scanners open every link;
a mail program's own button sends the request that RFC 8058 describes, and is done."""

from __future__ import annotations

import re
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from frontdesk.core.database import Connection
from frontdesk.core.door import Door
from frontdesk.core.events import emit

KEY = re.compile(r"[0-9a-f]{32}", re.ASCII)
FIND = """
    SELECT r.organization_id, r.id, r.contact_id, o.name FROM email_broadcast_recipients r
    JOIN organizations o ON o.id = r.organization_id WHERE r.unsubscribe_key = $1
"""
# Whoever was merged since the mail went out is meant by the contact that was kept.
OPT_OUT = """
    UPDATE contacts SET opted_out_at = $3, updated_at = $3, version = version + 1
    WHERE organization_id = $1 AND opted_out_at IS NULL
        AND id = (SELECT coalesce(merged_into_contact_id, id) FROM contacts WHERE organization_id = $1 AND id = $2)
    RETURNING id
"""
NOTE = """
    UPDATE email_broadcast_recipients SET unsubscribed_at = coalesce(unsubscribed_at, $3)
    WHERE organization_id = $1 AND id = $2
"""
HEADERS = {
    "cache-control": "no-store", "referrer-policy": "no-referrer", "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
}  # fmt: skip
PAGE = """<!doctype html><html lang="{language}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{title}</title>
<style>{style}</style><main><h1>{title}</h1><p>{text}</p>{form}</main></html>"""
# The colours are those of the invitation's page (static/invites/page.css).
STYLE = """
:root{color-scheme:light dark;--page:#eeeff3;--surface:#fff;--text:#16181d;--muted:#5c616c;--accent:#3744ad}
@media (prefers-color-scheme:dark){
:root{--page:#0c0d10;--surface:#15171b;--text:#eceef2;--muted:#9ea3ae;--accent:#5663d6}}
body{box-sizing:border-box;margin:0;padding:16px;min-height:100dvh;display:grid;place-items:center;
background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{box-sizing:border-box;width:min(460px,100%);padding:36px 32px;border-radius:20px;background:var(--surface)}
h1{margin:0 0 8px;font-size:22px;line-height:1.3}p{margin:0;color:var(--muted);overflow-wrap:anywhere}
button{width:100%;min-height:48px;margin-top:24px;border:0;border-radius:10px;background:var(--accent);color:#fff;
font:inherit;font-weight:600;cursor:pointer}
button:focus-visible{outline:2px solid var(--text);outline-offset:2px}"""
WORDS = {
    "en": ("Unsubscribe", "You will get no more e-mails of this kind from {0}.", "Unsubscribe me",
           "You are unsubscribed", "This link is not known", "It may be incomplete. Copy it whole from the e-mail."),
    "es": ("Cancelar la suscripción", "No recibirás más correos de este tipo de {0}.", "Cancelar la suscripción",
           "Suscripción cancelada", "Este enlace no se conoce", "Puede estar incompleto. Cópialo entero del correo."),
}  # fmt: skip


class UnsubscribeEdge:
    """`/unsubscribe/{key}`: GET shows a page with a button, POST opts the contact out. Both may be repeated."""

    def __init__(self, door: Door) -> None:
        self.door = door

    def routes(self) -> list[Route]:
        return [Route("/unsubscribe/{key}", self.endpoint, methods=["GET", "POST"])]

    async def endpoint(self, request: Request) -> Response:
        language = "es" if request.headers.get("accept-language", "").lower().startswith("es") else "en"
        title, text, button, done, unknown, hint = WORDS[language]
        key = request.path_params["key"]
        sender = await self._opt_out(key, is_asked=request.method == "POST") if KEY.fullmatch(key) else None
        if sender is None:
            return _page(language, unknown, hint, "", 404)
        text = text.format(sender)
        if request.method == "POST":
            return _page(language, done, text, "")
        return _page(language, title, text, f'<form method="post"><button>{button}</button></form>')

    async def _opt_out(self, key: str, *, is_asked: bool) -> str | None:
        """The name of the organization that wrote, None for a key of nobody; the key alone says which organization
        it is, so the system role looks it up."""
        async with self.door.database.system() as connection:
            row = await connection.fetchrow(FIND, key)
            if row is None:
                return None
            if not is_asked:
                return str(row["name"])
            async with connection.transaction():
                await self._note(connection, row["organization_id"], row["contact_id"], row["id"])
        return str(row["name"])

    async def _note(self, connection: Connection, organization_id: int, contact_id: int, recipient_id: int) -> None:
        now = self.door.clock.now()
        await connection.execute(NOTE, organization_id, recipient_id, now)
        if (changed := await connection.fetchval(OPT_OUT, organization_id, contact_id, now)) is not None:
            await emit(connection, organization_id, "contacts", "updated", changed)


def _page(language: str, title: str, text: str, form: str, status: int = 200) -> Response:
    body = PAGE.format(language=language, title=title, text=escape(text), form=form, style=STYLE)
    return Response(body, status, HEADERS, "text/html; charset=utf-8")
