"""Serves the app: one process with threads (waitress), so that rate limits count exactly."""

import errno
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from waitress.server import create_server

from api.app import create_app
from api.context import Context
from execution.control.settings import Settings

#: How often an idle server looks for a new generation: a replaced or erased one is let go of even
#: when nobody asks for anything.
CHECK_SECONDS = 2.0


class PortBusyError(OSError):
    """The port is taken; the message says what to do."""


def serve(settings: Settings, announce: Callable[[int], None]) -> None:
    """Serves until interrupted. `announce` is told the port once connections are taken.

    Raises PortBusyError if the port is taken, OSError if the address cannot be used.
    """
    app = create_app(settings)
    try:
        server = create_server(
            app, host=settings.host, port=settings.port, threads=settings.threads, ident=None
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortBusyError(
                f"port {settings.port} on {settings.host} is in use: stop what uses it, or choose "
                "another with NEXUS_PORT (0 takes any free one)"
            ) from None
        raise
    context: Context = app.extensions["nexus"]
    stopped = threading.Event()
    watcher = threading.Thread(target=_watch, args=(context, stopped), daemon=True)
    watcher.start()
    try:
        announce(_port(server))
        with suppress(KeyboardInterrupt):
            server.run()
    finally:
        stopped.set()
        server.close()
        watcher.join()
        context.publications.close()


def _port(server: Any) -> int:
    """The port taken; a name such as localhost may stand for several addresses."""
    several = getattr(server, "effective_listen", None)
    return int(several[0][1] if several else server.effective_port)


def _watch(context: Context, stopped: threading.Event) -> None:
    while not stopped.wait(CHECK_SECONDS):
        context.publications.check()
