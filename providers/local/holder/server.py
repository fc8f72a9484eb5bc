"""The holder's socket: one JSON document per line each way, several clients at once."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from typing import Any

from .loop import READ, WRITE, Loop
from .refusal import Refusal

LINE_MAX = 8 * 1024 * 1024
UNSENT_MAX = 1024 * 1024
CLIENTS_MAX = 128
_REFUSED = Refusal("request_invalid", "The request is not a JSON object with op.")

Handler = Callable[[dict[str, Any]], dict[str, Any]]


class Server:
    """Accepts clients and answers their requests in order."""

    def __init__(self, loop: Loop, listen_fd: int, handlers: dict[str, Handler]) -> None:
        self._loop = loop
        self._socket = socket.socket(fileno=listen_fd)
        self._socket.setblocking(False)
        self._socket.set_inheritable(False)
        # Listening is ours, so that a client finds the holder's own pid in SO_PEERCRED.
        self._socket.listen(CLIENTS_MAX)
        self._handlers = handlers
        self._clients = 0
        loop.watch(self._socket.fileno(), READ, self._accept)

    def answer(self, line: bytes) -> bytes:
        """Answer one request; whatever arrives, the answer is one line."""
        identity = None
        try:
            request = json.loads(line)
            if not isinstance(request, dict) or not isinstance(request.get("op"), str):
                raise _REFUSED
            identity = request.get("id")
            handler = self._handlers.get(request["op"])
            if handler is None:
                raise Refusal("request_invalid", "There is no such operation.")
            answer = {"ok": True, **handler(request)}
        except (ValueError, RecursionError):
            answer = {"ok": False, "code": _REFUSED.code, "message": _REFUSED.message}
        except Refusal as refusal:
            answer = {"ok": False, "code": refusal.code, "message": refusal.message}
        if isinstance(identity, int):
            answer["id"] = identity
        return json.dumps(answer).encode() + b"\n"

    def _accept(self, _events: int) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return  # gone again, or no descriptors left: it stays in the backlog
        if self._clients >= CLIENTS_MAX:
            connection.close()
            return
        self._clients += 1
        Client(self._loop, connection, self)

    def left(self) -> None:
        """A client has gone."""
        self._clients -= 1


class Client:
    """One connection with its bounded buffers."""

    def __init__(self, loop: Loop, connection: socket.socket, server: Server) -> None:
        connection.setblocking(False)
        self._loop = loop
        self._connection = connection
        self._server = server
        self._incoming = bytearray()
        self._outgoing = bytearray()
        loop.watch(connection.fileno(), READ, self._ready)

    def _ready(self, events: int) -> None:
        try:
            if events & READ:
                data = self._connection.recv(262144)
                if not data:
                    raise ConnectionResetError
                self._receive(data)
            self._send()
        except BlockingIOError:
            pass
        except OSError:
            self._close()

    def _receive(self, data: bytes) -> None:
        searched = len(self._incoming)
        self._incoming += data
        while (end := self._incoming.find(b"\n", searched)) >= 0:
            line = bytes(self._incoming[:end])
            del self._incoming[: end + 1]
            searched = 0
            self._outgoing += self._server.answer(line)
        if len(self._incoming) > LINE_MAX or len(self._outgoing) > UNSENT_MAX:
            raise ConnectionAbortedError

    def _send(self) -> None:
        try:
            while self._outgoing:
                del self._outgoing[: self._connection.send(self._outgoing)]
        except BlockingIOError:
            pass
        wanted = READ | WRITE if self._outgoing else READ
        self._loop.watch(self._connection.fileno(), wanted, self._ready)

    def _close(self) -> None:
        self._loop.unwatch(self._connection.fileno())
        self._connection.close()
        self._server.left()


class BoundedLog:
    """Stands in for ``sys.stderr``: a log file that starts over when it is long."""

    LIMIT = 256 * 1024

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def write(self, text: str) -> int:
        """Append text; a full disk loses it."""
        try:
            if os.fstat(self._fd).st_size > self.LIMIT:
                os.ftruncate(self._fd, 0)
            os.write(self._fd, text.encode("utf-8", "replace"))
        except OSError:
            pass
        return len(text)

    def flush(self) -> None:
        """Nothing is buffered."""
