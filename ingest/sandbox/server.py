"""Serves the stand-in over real sockets: threads, HTTP/1.1 keep-alive, a free port for tests."""

import contextlib
import io
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import httpx
from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from ingest.sandbox.app import create_sandbox
from ingest.sandbox.clock import SandboxClock
from ingest.sandbox.engine import Behaviour, Sandbox
from ingest.sandbox.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

LOOPBACK = "127.0.0.1"


class PortInUseError(RuntimeError):
    """The port asked for is taken."""


class KeepAliveHandler(WSGIRequestHandler):
    """Keeps connections open, which werkzeug's own handler does not.

    The whole answer goes out in one write without Nagle's delay: with separate writes for head
    and body a client's delayed ACK costs 40 ms a request.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        cast("Server", self.server).connections.add(self.connection)

    def finish(self) -> None:
        cast("Server", self.server).connections.discard(self.connection)
        with contextlib.suppress(OSError):  # the client, or a fault, has gone first
            super().finish()

    def run_wsgi(self) -> None:
        """Answer one request, then wait for the next on the same connection."""
        self.environ = self.make_environ()
        # What the application leaves unread would be taken for the next request.
        body_size = int(self.headers.get("Content-Length") or 0)
        self.environ["wsgi.input"] = io.BytesIO(self.rfile.read(body_size))
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> object:
            head[:] = status, headers
            return self.wfile.write

        app_iter = self.server.app(self.environ, cast("StartResponse", start_response))
        try:
            body = b"".join(app_iter)
        finally:
            if hasattr(app_iter, "close"):
                app_iter.close()
        self._send(head[0], head[1], body)

    def _send(self, status: str, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        if any(name.lower() == "connection" and value == "close" for name, value in headers):
            self.close_connection = True
        self.wfile.write("\r\n".join((*lines, "", "")).encode("latin-1"))
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def log(self, *_: object) -> None:
        """The stand-in keeps its own log of requests."""


class Server(ThreadedWSGIServer):
    """A threaded server that can be closed while clients hold connections open."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, app: Flask, port: int) -> None:
        self.connections: set[socket.socket] = set()
        listener = _listen(port)
        with listener:
            super().__init__(LOOPBACK, port, app, KeepAliveHandler, fd=listener.fileno())
        self.port = self.server_address[1]

    def close(self) -> None:
        """Stop accepting, and drop every open connection."""
        self.shutdown()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


def _listen(port: int) -> socket.socket:
    """A listening socket. Raises PortInUseError: werkzeug itself would end the process."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except OSError as problem:
        listener.close()
        raise PortInUseError(f"port {port} cannot be used: {problem.strerror}") from problem
    listener.listen(Server.request_queue_size)
    return listener


class SandboxServer:
    """A stand-in in a thread of this process, for `with`: clock, world and log are at hand.

    `port` 0 takes a free one; `url` is where it answers. Raises PortInUseError.
    """

    def __init__(
        self,
        world: World,
        clock: SandboxClock | None = None,
        port: int = 0,
        behaviour: Behaviour | None = None,
    ) -> None:
        self.app = create_sandbox(world, clock, behaviour)
        self.sandbox: Sandbox = self.app.extensions["sandbox"]
        self.clock = self.sandbox.clock
        self._server = Server(self.app, port)
        self.port: int = self._server.port
        self.url = f"http://{LOOPBACK}:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="sandbox", daemon=True
        )

    def __enter__(self) -> "SandboxServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.sandbox.closing.set()
        self._server.close()
        self._thread.join()


@dataclass(frozen=True)
class SandboxProcess:
    """A stand-in in a child process: reached over HTTP only."""

    url: str
    pid: int

    def set_clock(self, moment: datetime) -> None:
        answer = httpx.post(f"{self.url}/_sandbox/clock", json={"now": moment.isoformat()})
        answer.raise_for_status()


@contextmanager
def sandbox_process(*arguments: str, timeout: float = 20.0) -> Iterator[SandboxProcess]:
    """Run `python -m ingest.sandbox` with `arguments` on a free port, and end it afterwards.

    The child leaves this process's terminal group, so that Ctrl-C ends it once and orderly, and
    it ends by itself when this process dies. Raises RuntimeError with the child's last words
    when it does not come up in time.
    """
    command = [sys.executable, "-m", "ingest.sandbox", "--port", "0", "--tethered", *arguments]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            yield SandboxProcess(_announced(child, timeout), child.pid)
        finally:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(5)
            child.kill()


def _announced(child: "subprocess.Popen[str]", timeout: float) -> str:
    """The address in the child's first line."""
    assert child.stdout is not None
    watchdog = threading.Timer(timeout, child.kill)
    watchdog.start()
    try:
        line = child.stdout.readline()
    finally:
        watchdog.cancel()
    if "http://" not in line:
        said = (line + child.stdout.read()).strip()
        raise RuntimeError(f"the stand-in did not start: {said or 'no output'}")
    return line.split()[-1]
