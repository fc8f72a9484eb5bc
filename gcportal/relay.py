"""The one pipe for bytes between workers and web processes: bounded Redis Streams.

The relay holds the last seconds of an object's bytes and forgets; what it has forgotten is in
the database, found by offset. A Redis that is down costs liveness, never bytes.

Entry ids are the writer's own count of bytes, so that a second writer of the same bytes (a
worker that took over from one thought dead) can't put them in twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

import redis.exceptions
import structlog

from .redis import client

log = structlog.get_logger(__name__)

KEEP_BYTES = 4 * 1024 * 1024
KEEP_ENTRIES = 512
EXPIRE_SECONDS = 120
END = "end"


@dataclass(frozen=True, slots=True)
class Entry:
    """A piece of ``stream`` beginning at ``offset``; ``stream == END`` says nothing follows."""

    stream: str
    offset: int
    data: bytes

    @property
    def end(self) -> int:
        """The offset after its last byte."""
        return self.offset + len(self.data)


def decode(fields: dict[bytes, bytes]) -> Entry:
    """An entry as it comes from Redis."""
    return Entry(fields[b"s"].decode(), int(fields[b"o"]), fields[b"d"])


class RelayWriter:
    """Writes one object's bytes. One writer at a time; a second one's duplicates are refused."""

    def __init__(self, key: str, position: int) -> None:
        """``position``: bytes of all streams of the object that were written before."""
        self.key = key
        self._position = position
        self._kept: deque[tuple[int, int]] = deque()
        self._kept_bytes = 0
        self._reachable = True
        self._clock = asyncio.get_running_loop().time
        self._expire_at = 0.0

    async def write(self, stream: str, offset: int, data: bytes) -> None:
        """Append a piece; what is older than the bound falls out."""
        self._position += len(data)
        await self._add(stream, offset, data)

    async def end(self, outcome: bytes) -> None:
        """Say that nothing follows, and what came of it (which is in the database too)."""
        await self._add(END, 0, outcome)

    async def _add(self, stream: str, offset: int, data: bytes) -> None:
        ident = self._position * 2 + (1 if stream == END else 0)
        self._kept.append((ident, len(data)))
        self._kept_bytes += len(data)
        while len(self._kept) > KEEP_ENTRIES or self._kept_bytes > KEEP_BYTES:
            self._kept_bytes -= self._kept.popleft()[1]
        fields: dict = {"s": stream, "o": offset, "d": data}
        oldest = self._kept[0][0] if self._kept else ident
        try:
            async with client().pipeline(transaction=False) as pipe:
                pipe.xadd(self.key, fields, id=f"{ident}-1", minid=f"{oldest}-0", approximate=False)
                if self._clock() >= self._expire_at or stream == END:
                    pipe.expire(self.key, EXPIRE_SECONDS)
                    self._expire_at = self._clock() + EXPIRE_SECONDS / 4
                await pipe.execute(raise_on_error=False)
            self._reachable = True
        except (redis.exceptions.RedisError, OSError) as error:
            if self._reachable:
                log.warning("relay_unreachable", key=self.key, error=str(error))
            self._reachable = False
