"""One command's output to one client: stored bytes from its offset, then the relay, then the end.

The client's offsets rule: what it has is never sent again, what it lacks is fetched from the
database, and at most a window beyond what it has acknowledged is under way.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Protocol

from gcportal.aio import run_db
from gcportal.hub import Ring, hub
from gcportal.relay import END, Entry

from .. import output
from ..following.recorder import relay_key
from ..models import Command
from ..outcome import end_message
from .lookout import lookout

STREAMS = ("stdout", "stderr")
WINDOW_BYTES = 1024 * 1024
FRAME_BYTES = 64 * 1024
LAG_SECONDS = 0.3


class Sink(Protocol):
    """Where a feed puts what it has; implemented by the socket and by server-sent events."""

    async def output(self, command: Command, stream: str, offset: int, data: bytes) -> None: ...

    async def gap(self, command: Command, stream: str, start: int, end: int) -> None: ...

    async def end(self, command: Command, outcome: dict[str, Any]) -> None: ...


class Feed:
    """Run with ``await feed.run()``; cancel its task to stop."""

    def __init__(self, command: Command, sink: Sink, next_: dict[str, int], window: int) -> None:
        """``next_``: the offset of each stream that the client wants next.

        ``window``: bytes that may be under way unacknowledged; 0 is without limit.
        """
        self.command = command
        self.next = dict(next_)
        self._acked = sum(next_.values())
        self._sink = sink
        self._window = window
        self._acks = asyncio.Event()
        self._cursor = 0

    def ack(self, stdout: int, stderr: int) -> None:
        """The client has drawn everything before these offsets."""
        self._acked = max(self._acked, stdout + stderr)
        self._acks.set()

    async def run(self) -> None:
        """Send until the command has ended and everything is sent."""
        key = relay_key(self.command.pk)
        if self.command.ended:
            return await self._finish(None)
        ring = hub().join(key)
        lookout().watch(self.command.pk, ring)
        self._cursor = ring.first
        try:
            await self._stored()
            while (outcome := await self._live(ring)) is None:
                pass
        finally:
            hub().leave(key)
        return await self._finish(outcome or None)

    async def _live(self, ring: Ring) -> dict[str, Any] | None:
        """Send what the ring has, then wait; the outcome (or an empty one) at the end."""
        news = ring.next_event()
        self._cursor = max(self._cursor, ring.first)
        while (entry := ring.get(self._cursor)) is not None:
            self._cursor += 1
            if entry.stream == END:
                news.cancel()
                return json.loads(entry.data)
            await self._relayed(self._merged(ring, entry))
        await news
        if ring.get(self._cursor) is not None or not lookout().moved(self.command.pk):
            return None
        await self._refresh()
        await self._stored()
        return {} if self.command.ended else None

    def _merged(self, ring: Ring, entry: Entry) -> Entry:
        """The entry and those that continue it, as one frame: frames are what costs."""
        parts, size = [entry.data], len(entry.data)
        while (more := ring.get(self._cursor)) is not None:
            fits = size + len(more.data) <= FRAME_BYTES
            if more.stream != entry.stream or more.offset != entry.offset + size or not fits:
                break
            parts.append(more.data)
            size += len(more.data)
            self._cursor += 1
        return entry if len(parts) == 1 else Entry(entry.stream, entry.offset, b"".join(parts))

    async def _relayed(self, entry: Entry) -> None:
        stream = entry.stream
        if entry.offset > self.next[stream]:
            await self._catch_up(stream, entry.offset)
        if entry.end > self.next[stream]:
            skip = max(0, self.next[stream] - entry.offset)
            await self._send(stream, self.next[stream], entry.data[skip:])

    async def _catch_up(self, stream: str, until: int) -> None:
        """Fill from the database up to ``until``, as far as that is kept there."""
        while self.next[stream] < until:
            if await self._stored_of(stream, until):
                continue
            await self._refresh()
            if self.command.ended or self.next[stream] >= self.command.output_limit:
                # the middle of a flood: only what was live just now was ever to be had
                await self._skip(stream, until)
            else:
                await asyncio.sleep(LAG_SECONDS)  # about to be stored

    async def _stored(self) -> None:
        """Send what the row says is stored."""
        for stream in STREAMS:
            while self.next[stream] < getattr(self.command, f"{stream}_stored"):
                if not await self._stored_of(stream, None):
                    break

    async def _stored_of(self, stream: str, until: int | None) -> bool:
        """Send the next stored piece; False when there is none."""
        at = self.next[stream]
        piece = await run_db(output.read, self.command.pk, stream, at)
        if piece is None or (until is not None and piece.offset >= until):
            return False
        if piece.offset > at:
            await self._skip(stream, piece.offset)
        data = piece.data if until is None else piece.data[: until - piece.offset]
        await self._send(stream, piece.offset, data)
        return True

    async def _finish(self, outcome: dict[str, Any] | None) -> None:
        """Send the rest from the database, unless the relay has brought everything."""
        if outcome is None or any(self.next[s] < outcome[f"{s}_bytes"] for s in STREAMS):
            await self._refresh()
            await self._stored()
            outcome = end_message(self.command)
            for stream in STREAMS:
                if self.next[stream] < outcome[f"{stream}_bytes"]:
                    await self._skip(stream, outcome[f"{stream}_bytes"])
        await self._sink.end(self.command, outcome)

    async def _skip(self, stream: str, to: int) -> None:
        start, self.next[stream] = self.next[stream], to
        self._acked += to - start
        await self._sink.gap(self.command, stream, start, to)

    async def _send(self, stream: str, offset: int, data: bytes) -> None:
        for start in range(0, len(data), FRAME_BYTES):
            await self._send_frame(stream, offset + start, data[start : start + FRAME_BYTES])

    async def _send_frame(self, stream: str, offset: int, data: bytes) -> None:
        while self._window and sum(self.next.values()) - self._acked >= self._window:
            self._acks.clear()
            await self._acks.wait()
        self.next[stream] = offset + len(data)
        await self._sink.output(self.command, stream, offset, data)

    async def _refresh(self) -> None:
        await run_db(self.command.refresh_from_db)
