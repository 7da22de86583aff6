"""Serves the app: one process with threads (waitress), so that rate limits count exactly."""

import errno
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from waitress.server import create_server

from api.app import create_app
from api.context import context_of
from api.publication import PublicationFollower
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
    with _listen(settings) as listener:
        app = create_app(settings)
        publications = context_of(app).publications
        server = create_server(app, sockets=[listener], threads=settings.threads, ident=None)
        stopped = threading.Event()
        watcher = threading.Thread(target=_watch, args=(publications, stopped), daemon=True)
        watcher.start()
        try:
            announce(listener.getsockname()[1])
            with suppress(KeyboardInterrupt):
                server.run()
        finally:
            stopped.set()
            server.close()
            watcher.join()
            publications.close()


def _listen(settings: Settings) -> socket.socket:
    """A socket bound before anything else is opened: a busy port is found out at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortBusyError(
                f"port {settings.port} on {settings.host} is in use: stop what uses it, or choose "
                "another with NEXUS_PORT (0 takes any free one)"
            ) from None
        raise


def _watch(publications: PublicationFollower, stopped: threading.Event) -> None:
    while not stopped.wait(CHECK_SECONDS):
        publications.check()
