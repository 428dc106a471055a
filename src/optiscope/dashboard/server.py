"""The server of the dashboard: where it listens, how it starts, and how it ends without leaving anything open."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from types import TracebackType

import uvicorn

from optiscope.dashboard.application import create_application
from optiscope.dashboard.security import ANY_ADDRESS, LOOPBACK_HOSTS, is_loopback
from optiscope.errors import ArgumentError, OptiscopeError

PORTS_TRIED = 20
"""A port that is taken is followed by the next ones, this many in all."""
_PATIENCE_SECONDS = 3
"""How long answers that are under way may take when the server ends."""


class DashboardServer:
    """A dashboard that listens from the moment it is made; `run` answers until it is stopped.

    Used as a context manager it answers in a thread of its own, and ends with the block.
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, host: str = "127.0.0.1", port: int = 0, token: str | None = None
    ) -> None:
        """Listen at `host` and `port`.

        Args:
            folder: The folder of runs.
            host: Address to listen at. Other than loopback, whoever comes needs the token.
            port: Port; one that is taken is followed by the next free one. 0 leaves the choice to the system.
            token: What a browser has to bring. By default one is made, unless only this machine can reach the server.

        Raises:
            RunNotFound: There is no such folder.
            ArgumentError: The address or port cannot be listened at, or the token is short.
        """
        is_local = is_loopback(host)
        self.token = token if token is not None or is_local else secrets.token_urlsafe(32)
        """What a browser has to bring, or None."""
        hosts = (*LOOPBACK_HOSTS, host) if is_local else (*LOOPBACK_HOSTS, host, socket.gethostname(), ANY_ADDRESS)
        self.application = create_application(folder, token=self.token, allowed_hosts=hosts)
        """What answers."""
        self._socket = _listening_socket(host, port)
        self.host = host
        """Address that it listens at."""
        self.port = int(self._socket.getsockname()[1])
        """Port that it listens at."""
        self._server = _Server(
            uvicorn.Config(
                self.application,
                access_log=False,
                log_config=None,
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="on",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=_PATIENCE_SECONDS,
            ),
            self.application.watcher.close,
        )
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._ended.set()

    @property
    def url(self) -> str:
        """What to open in a browser, the token in it."""
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(
            self.host, f"[{self.host}]" if ":" in self.host else self.host
        )
        return f"http://{host}:{self.port}/" + (f"?token={self.token}" if self.token else "")

    def run(self, on_start: Callable[[str], object] | None = None) -> None:
        """Answer until `stop`, or until Ctrl-C in the main thread. `on_start` gets the URL when it can be opened."""
        self._server.on_start = lambda: on_start(self.url) if on_start is not None else None
        self._ended.clear()
        try:
            with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again when everything is closed
                self._server.run(sockets=[self._socket])
        finally:
            self._ended.set()
            self._socket.close()

    def stop(self) -> None:
        """End `run`, from another thread: streams are closed, answers under way get a moment. May be repeated."""
        self._server.should_exit = True
        self._ended.wait()
        if self._thread is not None:
            self._thread.join()
        self._socket.close()

    def __enter__(self) -> DashboardServer:
        """Answer in a thread; returns when the URL can be opened."""
        started = threading.Event()

        def answer() -> None:
            try:
                self.run(lambda _: started.set())
            finally:
                started.set()

        self._thread = threading.Thread(target=answer, name="optiscope-dashboard", daemon=True)
        self._thread.start()
        started.wait()
        if not self._server.started:
            raise OptiscopeError("The dashboard could not be started; the log of uvicorn says why.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


def serve(
    folder: str | os.PathLike[str],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    open_browser: bool = False,
    token: str | None = None,
    announce: Callable[[str], object] | None = None,
) -> None:
    """Show the runs in `folder` until Ctrl-C.

    Args:
        folder: The folder of runs.
        host: Address to listen at. Other than loopback, whoever comes needs the token.
        port: Port; one that is taken is followed by the next free one. 0 leaves the choice to the system.
        open_browser: Open the page in the browser.
        token: What a browser has to bring. By default one is made, unless only this machine can reach the server.
        announce: Gets the URL, with the token in it, when it can be opened.

    Raises:
        RunNotFound: There is no such folder.
        ArgumentError: The address or port cannot be listened at, or the token is short.
    """
    server = DashboardServer(folder, host=host, port=port, token=token)

    def started(url: str) -> None:
        if announce is not None:
            announce(url)
        if open_browser:
            # Some browsers hold up whoever opens them until they are closed.
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    try:
        server.run(started)
    finally:
        server.stop()


class _Server(uvicorn.Server):
    """uvicorn, which waits for all answers before it ends: event streams never would, so they are ended first."""

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self.on_start: Callable[[], object] = lambda: None
        self._end_streams = end_streams

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        await super().shutdown(sockets)


def _listening_socket(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise ArgumentError(f"A port is a number from 0 to 65535; 0 takes any that is free. Received: port={port}.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise ArgumentError(
            f"There is no address {host!r} on this machine: {error}. 127.0.0.1 always works. Received: host={host!r}."
        ) from error
    candidates = [port] if port == 0 else range(port, min(port + PORTS_TRIED, 65536))
    for candidate in candidates:
        listener = socket.socket(family, kind, protocol)
        try:
            # On Windows this option would share the port with another program, on other systems it only skips the wait.
            if sys.platform != "win32":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address[0], candidate, *address[2:]))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE:
                continue
            raise ArgumentError(
                f"Nobody may listen at {host}, port {candidate}: {error.strerror or error}. Choose a port above 1023, "
                f"or leave it out. Received: host={host!r}, port={port}."
            ) from error
        else:
            listener.setblocking(False)
            return listener
    raise ArgumentError(
        f"The ports {candidates[0]} to {candidates[-1]} are all taken. Choose another, or port=0 for any that is free. "
        f"Received: port={port}."
    )
