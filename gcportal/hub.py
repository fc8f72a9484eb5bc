"""One reader of the relay per web process, whatever the number of sockets.

Each followed key has a ring of its newest entries in memory; feeds read the ring at their own
pace, so a client that doesn't read costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import weakref
from collections import deque
from typing import Any

import redis.exceptions
import structlog

from .aio import spawn
from .redis import new_client
from .relay import KEEP_BYTES, KEEP_ENTRIES, Entry, decode

log = structlog.get_logger(__name__)

BLOCK_MS = 5000
WAKE_KEY_SECONDS = 3600  # a dead process leaves one small key for so long
_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = weakref.WeakKeyDictionary()


def hub() -> Hub:
    """The running loop's hub."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]


class Ring:
    """The newest entries of one key. ``first`` is the number of the oldest one still here."""

    def __init__(self) -> None:
        self.first = 0
        self.readers = 0
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._waiting: set[asyncio.Future[None]] = set()

    def push(self, entries: list[Entry]) -> None:
        """Append and wake the feeds; the oldest fall out."""
        for entry in entries:
            self._entries.append(entry)
            self._bytes += len(entry.data)
        while len(self._entries) > KEEP_ENTRIES or self._bytes > KEEP_BYTES:
            self._bytes -= len(self._entries.popleft().data)
            self.first += 1
        self.wake()

    def wake(self) -> None:
        """Let all feeds look again."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    def get(self, number: int) -> Entry | None:
        """Entry ``number``, or ``None`` when it isn't here yet."""
        index = number - self.first
        return self._entries[index] if 0 <= index < len(self._entries) else None

    def next_event(self) -> asyncio.Future[None]:
        """A future that is done at the next push. Take it before looking, await it after."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        return future


class Hub:
    """Reads all followed keys with one blocking XREAD."""

    def __init__(self) -> None:
        self._rings: dict[str, Ring] = {}
        self._after: dict[str, bytes] = {}
        self._wake_key = f"relay:wake:{os.getpid()}:{secrets.token_hex(4)}"
        self._wake_after = b"0"
        self._task: asyncio.Task[None] | None = None
        self._control = new_client()

    def join(self, key: str) -> Ring:
        """Follow a key from the oldest entry that the relay still has."""
        ring = self._rings.get(key)
        if ring is None:
            ring = self._rings[key] = Ring()
            self._after[key] = b"0"
            if self._task is None or self._task.done():
                self._task = spawn(self._read_forever())
            else:
                spawn(self._interrupt())
        ring.readers += 1
        return ring

    def leave(self, key: str) -> None:
        """The counterpart of ``join``."""
        ring = self._rings[key]
        ring.readers -= 1
        if ring.readers == 0:
            del self._rings[key], self._after[key]

    async def _interrupt(self) -> None:
        """End the blocking read under way, so that a new key is read at once."""
        # a Redis that is down is noticed by the reader too, which says so
        with contextlib.suppress(redis.exceptions.RedisError, OSError):
            await self._control.xadd(self._wake_key, {"w": b""}, maxlen=1, approximate=False)

    async def _read_forever(self) -> None:
        reader = new_client()
        failing = False
        while True:
            try:
                await self._read_once(reader)
                if failing:
                    log.info("relay_back")
                    failing = False
            except (redis.exceptions.RedisError, OSError) as error:
                if not failing:
                    log.warning("relay_unreachable", error=str(error))
                failing = True
                await asyncio.sleep(0.5)

    async def _read_once(self, reader: redis.asyncio.Redis) -> None:
        keys: Any = {**self._after, self._wake_key: self._wake_after}
        answer: Any = await reader.xread(keys, count=256, block=BLOCK_MS)
        if not answer:
            await reader.expire(self._wake_key, WAKE_KEY_SECONDS)
        for name, entries in answer or []:
            key = name.decode()
            if key == self._wake_key:
                self._wake_after = entries[-1][0]
            elif key in self._rings:
                self._after[key] = entries[-1][0]
                self._rings[key].push([decode(fields) for _, fields in entries])
