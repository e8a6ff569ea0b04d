"""Real servers on loopback for programs to talk to: Python's ``websockets``, and plain sockets that
record what arrives and stay silent."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from websockets.exceptions import ConnectionClosed, NegotiationError
from websockets.sync.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

T = TypeVar("T")

LOOPBACK = "127.0.0.1"
GREETING = "samples"

_quiet = logging.getLogger("tests.real.servers")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


class _Seen(Generic[T]):
    """A list that one thread fills and another waits for."""

    def __init__(self) -> None:
        self.all: list[T] = []
        self._more = threading.Condition()

    def add(self, item: T) -> None:
        with self._more:
            self.all.append(item)
            self._more.notify_all()

    def wait(self, wanted: Callable[[T], bool], seconds: float) -> bool:
        with self._more:
            return self._more.wait_for(lambda: any(map(wanted, self.all)), seconds)


class WebSocketServer:
    """Python's ``websockets``: greets each client, and keeps what it offers and sends.

    ``speaks`` None ignores what clients offer, as that library does when it is told of no names.  With
    names, a client that offers none of them (or, with an empty list, any at all) gets status 400.

    ``flood`` goes on with as many messages as the connection takes, after a pause of half a second.
    """

    def __init__(
        self, speaks: Sequence[str] | None = None, tls: ssl.SSLContext | None = None, flood: bool = False
    ) -> None:
        self.offers: _Seen[str | None] = _Seen()
        self.messages: _Seen[tuple[float, str]] = _Seen()
        self.clients: _Seen[ServerConnection] = _Seen()
        self._speaks = speaks
        self._flood = flood
        self._server: Server = serve(
            self._handle,
            LOOPBACK,
            0,
            ssl=tls,
            select_subprotocol=self._select,
            compression=None,
            ping_interval=None,
            close_timeout=1,
            logger=_quiet,
        )
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _select(self, connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        request = connection.request
        self.offers.add(request.headers.get("Sec-WebSocket-Protocol") if request else None)
        if self._speaks is None or not offered:
            return None
        for name in offered:
            if name in self._speaks:
                return name
        raise NegotiationError("none of the offered subprotocols is spoken here")

    def _handle(self, connection: ServerConnection) -> None:
        try:
            connection.send(GREETING)
            self.clients.add(connection)
            if self._flood:
                time.sleep(0.5)
            while self._flood:
                connection.send("more")
            for message in connection:
                text = message if isinstance(message, str) else message.decode("utf-8", "replace")
                self.messages.add((time.monotonic(), text))
        except ConnectionClosed:
            pass

    def got(self, message: str, seconds: float) -> bool:
        """Whether a client has sent ``message``, or does within ``seconds``."""
        return self.messages.wait(lambda item: item[1] == message, seconds)

    def poke(self, text: str = "poke") -> None:
        """Sends ``text`` to every client that is still there."""
        for client in self.clients.all:
            with contextlib.suppress(ConnectionClosed):
                client.send(text)

    def stop(self) -> None:
        self._flood = False
        self._server.shutdown()
        self._thread.join(5)


class SilentServer:
    """Accepts, does the TLS handshake if it has a context for one, keeps the bytes, and never answers.

    With ``answer`` it sends those bytes once after the first ones that arrive, and stays silent then.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, answer: bytes = b"") -> None:
        self.received: _Seen[bytes] = _Seen()
        self.handshakes: _Seen[str] = _Seen()
        self._tls = tls
        self._answer = answer
        self._stopping = False
        self._listener = socket.create_server((LOOPBACK, 0))
        self._listener.settimeout(0.1)
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                client, _ = self._listener.accept()
                self._open.append(client)
                self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        """Until the client closes or this server stops; one client at a time is enough here."""
        client.settimeout(0.1)
        if self._tls is not None:
            client.settimeout(5)
            try:
                client = self._tls.wrap_socket(client, server_side=True)
            except (ssl.SSLError, OSError) as error:
                self.handshakes.add(f"failed: {error}")
                return
            self.handshakes.add("done")
            self._open.append(client)
            client.settimeout(0.1)
        answer = self._answer
        while not self._stopping:
            try:
                data = client.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            if not data:
                return
            self.received.add(data)
            if answer:
                client.sendall(answer)
                answer = b""

    def stop(self) -> None:
        self._stopping = True
        self._thread.join(6)
        for opened in (*self._open, self._listener):
            opened.close()
