"""A command's output as server-sent events."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import structlog

from gcportal.errors import InvalidInput

from ..live.feed import STREAMS, Feed
from ..models import Command

log = structlog.get_logger(__name__)

# ASGI servers may buffer without limit for a client that doesn't read, so an answer ends here
# and the client asks for the next one with its cursor.
ANSWER_BYTES = 4 * 1024 * 1024
ANSWER_SECONDS = 300.0
KEEP_ALIVE_SECONDS = 10.0
RETRY = b"retry: 1000\n\n"
KEEP_ALIVE = b": still here\n\n"
OFFSET_LIMIT = 1 << 62


class Ended(Exception):
    """The client has had everything, the end included."""


def cursor(last_event_id: str | None, stdout: int, stderr: int) -> dict[str, int]:
    """Where to go on: after the last event if one is named. Raises ``Ended``, ``InvalidInput``."""
    if not last_event_id:
        return {"stdout": stdout, "stderr": stderr}
    parts = last_event_id.split("-")
    numbers = parts[:2]
    if len(parts) not in (2, 3) or not all(n.isascii() and n.isdigit() for n in numbers):
        raise _wrong()
    offsets = [int(number[:20]) for number in numbers]
    if max(offsets) > OFFSET_LIMIT or parts[2:] not in ([], ["end"]):
        raise _wrong()
    if parts[2:]:
        raise Ended
    return dict(zip(STREAMS, offsets, strict=True))


def _wrong() -> InvalidInput:
    message = "Last-Event-ID is the id of an event of this command."
    return InvalidInput(message, code="cursor_invalid", fields={"Last-Event-ID": message})


class EventSink:
    """Takes what a feed has, as encoded events; the feed waits while they aren't fetched."""

    def __init__(self, next_: dict[str, int]) -> None:
        self._next = dict(next_)
        self.events: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=4)

    async def output(self, command: Command, stream: str, offset: int, data: bytes) -> None:
        """Bytes as ``text`` where they are UTF-8, else as ``base64``."""
        self._next[stream] = offset + len(data)
        await self._put("output", {"stream": stream, "offset": offset, **_encoded(data)})

    async def gap(self, command: Command, stream: str, start: int, end: int) -> None:
        """Bytes that were not kept."""
        self._next[stream] = end
        await self._put("gap", {"stream": stream, "start": start, "end": end})

    async def end(self, command: Command, outcome: dict[str, Any]) -> None:
        """The command has ended, and all of its output is sent."""
        await self._put("end", outcome, "-end")

    async def _put(self, event: str, data: dict[str, Any], suffix: str = "") -> None:
        ident = f"{self._next['stdout']}-{self._next['stderr']}{suffix}"
        text = json.dumps(data, ensure_ascii=False)
        await self.events.put(f"id: {ident}\nevent: {event}\ndata: {text}\n\n".encode())


def _encoded(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


async def stream(command: Command, next_: dict[str, int]) -> AsyncIterator[bytes]:
    """Events until the command's end, or until this answer is long enough."""
    sink = EventSink(next_)
    feeding = asyncio.create_task(_feed(Feed(command, sink, next_, window=0), sink))
    sent, until = 0, time.monotonic() + ANSWER_SECONDS
    try:
        yield RETRY
        while sent < ANSWER_BYTES and time.monotonic() < until:
            try:
                event = await asyncio.wait_for(sink.events.get(), KEEP_ALIVE_SECONDS)
            except TimeoutError:
                yield KEEP_ALIVE
                continue
            if event is None:
                return
            sent += len(event)
            yield event
    finally:
        feeding.cancel()


async def _feed(feed: Feed, sink: EventSink) -> None:
    try:
        await feed.run()
    except Exception:
        # the answer ends; the client comes again with its cursor
        log.exception("event_feed_failed", command_id=str(feed.command.pk))
    await sink.events.put(None)
