"""`frontdesk serve`: one HTTP process, alone or under the supervisor."""

import argparse
import signal
import socket
import sys
import threading

import uvicorn

from frontdesk.core import logs
from frontdesk.core.connection import embedded
from frontdesk.core.halt import Halt
from frontdesk.core.postgres import EmbeddedPostgres
from frontdesk.core.settings import Settings
from frontdesk.core.sockets import listen
from frontdesk.main import create_app
from frontdesk.registry import make_door

GRACE = 3  # seconds for open requests; streams are resumed by their clients


class Server(uvicorn.Server):
    """Ends the open streams first: they would hold the process for the whole grace, and their clients come back."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.events.feed.close_all()  # type: ignore[union-attr]
        await self.config.app.state.live.stop()  # type: ignore[union-attr]
        await super().shutdown(sockets)


def serve(settings: Settings, arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT. The database need not be up: `/health` says so meanwhile."""
    logs.configure()
    listener = socket.socket(fileno=arguments.fd) if arguments.fd else listen(settings.host, settings.port)
    postgres = embedded(settings)
    url = postgres.url if postgres else settings.external_url
    # Signed addresses name the port: the one really taken, where 0 was asked for.
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    # uvicorn raises the signal that ended it once more, and the database is still to be left.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    config = uvicorn.Config(
        create_app(settings, make_door(settings, url)),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=75,
        lifespan="on",
    )
    server = Server(config)
    joining = threading.Thread(target=join, args=[postgres, server], daemon=True, name="postgres-join")
    try:
        if postgres:
            joining.start()
        server.run(sockets=[listener])
    finally:
        if postgres:
            postgres.leaving.set()
            joining.join()
            postgres.leave()
    return 0 if server.started else 1


def join(postgres: EmbeddedPostgres, server: uvicorn.Server) -> None:
    try:
        postgres.join()
    except Halt as halt:
        if not postgres.leaving.is_set():
            print(f"frontdesk: {halt}", file=sys.stderr)
            server.should_exit = True
