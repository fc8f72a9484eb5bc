"""The worker's side of the holder's socket: one connection per sandbox and event loop."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any

from providers.contract import ProviderTimeout, RunNotFound, RunRefused, SandboxGone

from .state import StateDir

ANSWER_MAX = 1024 * 1024


class _Connection(asyncio.Protocol):
    """Matches answers to requests by id."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.closed = False
        self.life: object = None
        self.on_closed: set[Callable[[], None]] = set()
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            try:
                answer = json.loads(line)
                future = self.waiting.pop(answer["id"], None)
            except (ValueError, KeyError, TypeError):
                continue
            if future is not None and not future.done():
                future.set_result(answer)
        if len(self._buffer) > ANSWER_MAX and self.transport:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(SandboxGone("The sandbox went away."))
                future.exception()  # retrieved: nobody may be waiting any more
        self.waiting.clear()
        for callback in list(self.on_closed):
            callback()


class HolderClient:
    """Requests to one holder; reconnects by itself when a sandbox was started again."""

    def __init__(self, state: StateDir) -> None:
        self._state = state
        self._ids = itertools.count(1)
        self._connection: _Connection | None = None
        self._connecting = asyncio.Lock()

    async def connect(self) -> _Connection:
        """A living connection. Raises ``SandboxGone`` when no holder answers."""
        if self._connection is not None and not self._connection.closed:
            return self._connection
        async with self._connecting:
            if self._connection is None or self._connection.closed:
                sock = self._state.connect()
                loop = asyncio.get_running_loop()
                _, self._connection = await loop.create_connection(_Connection, sock=sock)
                self._connection.life = (self._state.read("holder.json") or {}).get("life")
            return self._connection

    async def request(self, op: str, limit: float, **fields: Any) -> dict[str, Any]:
        """Send one request; returns the answer or raises the error it stands for."""
        connection = await self.connect()
        identity = next(self._ids)
        future = asyncio.get_running_loop().create_future()
        connection.waiting[identity] = future
        assert connection.transport is not None
        connection.transport.write(
            json.dumps({"id": identity, "op": op, **fields}).encode() + b"\n"
        )
        try:
            async with asyncio.timeout(limit):
                answer: dict[str, Any] = await future
        except TimeoutError:
            raise ProviderTimeout("The sandbox did not answer in time.") from None
        finally:
            connection.waiting.pop(identity, None)
        if answer.get("ok") is True:
            return answer
        raise _error(answer)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None and self._connection.transport is not None:
            self._connection.transport.abort()
        self._connection = None


def _error(answer: dict[str, Any]) -> Exception:
    code = str(answer.get("code", "run_refused"))
    message = str(answer.get("message", "The sandbox refused the request."))
    if code in ("run_not_found", "run_id_invalid"):
        return RunNotFound(message)
    if code == "sandbox_gone":
        return SandboxGone(message)
    return RunRefused(message, code=code)
