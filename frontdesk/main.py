"""The composition root: lists, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.routing import Route

from frontdesk.channels.webchat import Webchat
from frontdesk.core.door import Door
from frontdesk.core.live import Live
from frontdesk.core.rates import Rates
from frontdesk.core.request_limits import LedgerRows, RequestLimits
from frontdesk.core.settings import Settings
from frontdesk.models.installation import wants_built_in
from frontdesk.models.late import LateCompletions
from frontdesk.web import documentation, failures
from frontdesk.web.authentication import Authentication
from frontdesk.web.events import EventsEdge
from frontdesk.web.fake_provider import FakeProviderEdge
from frontdesk.web.files import FilesEdge
from frontdesk.web.health import Health
from frontdesk.web.identity import Identities
from frontdesk.web.invites import InvitesEdge
from frontdesk.web.mcp_oauth import McpOauthEdge
from frontdesk.web.openai_api import OpenAIEdge
from frontdesk.web.rest import RestEdge
from frontdesk.web.session_events import PATH as SESSION_EVENTS
from frontdesk.web.session_events import SessionEvents
from frontdesk.web.unsubscribe import UnsubscribeEdge
from frontdesk.web.webchat import WebchatEdge


def create_app(settings: Settings, door: Door) -> FastAPI:
    """The HTTP edge in front of `door`, whose database it closes at its end."""
    url = door.database.url
    door.completions = door.trials = completions = LateCompletions(door, settings)
    identities = Identities(door.database, door.clock, settings.secret(), settings.quota)
    limits = RequestLimits(LedgerRows(door.database), door.clock)
    health = Health(url)
    live = Live(url, door.clock)
    events = EventsEdge(door, identities, limits)
    chat = WebchatEdge(
        door,
        Webchat(door.database, door.clock, door.files),
        live,
        wants_built_in(settings),
        limits_addresses=settings.address_limits,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with live, events:
            yield
        await limits.give_back()
        await completions.close()
        await health.close()
        await door.database.close()

    app = FastAPI(title="Frontdesk", lifespan=lifespan, openapi_url=None)
    app.add_route("/health", health.endpoint)
    app.router.routes.append(Route("/events", events))
    app.router.routes.append(Route(SESSION_EVENTS, SessionEvents(door, live, identities)))
    rates = Rates(door.database)
    login = Authentication(door.database, identities, door.clock, rates)
    app.router.routes.extend(InvitesEdge(door, identities, rates).routes())
    app.router.routes.extend(
        [*login.routes(), *documentation.routes(door.registry), *chat.routes(), *FilesEdge(door).routes()]
    )
    app.router.routes.extend([*UnsubscribeEdge(door).routes(), *OpenAIEdge(door, identities, limits).routes()])
    app.router.routes.extend(McpOauthEdge(door).routes())
    app.router.routes.extend(FakeProviderEdge(door, is_on=settings.fake_provider is not None).routes())
    failures.install(app)
    app.state.door, app.state.events, app.state.live = door, events, live
    app.add_middleware(RestEdge, door=door, identities=identities, limits=limits)
    return app
