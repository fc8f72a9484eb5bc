"""Where a follower puts output: into the relay at once, into the database in batches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from gcportal.relay import RelayWriter
from providers.contract import STREAMS, RunOutput, Stream

from ..models import OutputChunk
from ..outcome import end_message
from . import records

STORE_BYTES = 256 * 1024
STORE_SECONDS = (0.5, 5.0)


def relay_key(command_id: Any) -> str:
    """The relay key of a command's output."""
    return f"relay:command:{command_id}"


class LeaseLost(Exception):
    """Another worker has taken over; nothing more may be written."""


class Recorder:
    """Output of one command on its way to people and to the history."""

    def __init__(self, job: records.Job, call: Callable[..., Any]) -> None:
        self.command = job.command
        self.progress = records.Progress.of(job.command)
        self._head_limit = job.head_limit
        self._limit = job.command.output_limit
        self._call = call
        self._relay = RelayWriter(relay_key(job.command.pk), sum(self.progress.seen.values()))
        self._pending: list[tuple[Stream, int, bytearray]] = []
        self._pending_bytes = 0
        self._clock = asyncio.get_running_loop().time
        self._since = 0.0
        self._interval = STORE_SECONDS[0]

    async def take(self, output: RunOutput) -> None:
        """Relay a piece, and keep it for the history up to the limit."""
        stream, offset, data = output.stream, output.offset, output.data
        self.progress.seen[stream] = offset + len(data)
        if offset == self._next(stream) and offset < self._limit:
            # pieces end at the head's end, so that what follows can be dropped whole
            for start, end in ((offset, self._head_limit), (self._head_limit, self._limit)):
                part = data[max(0, start - offset) : max(0, end - offset)]
                if part:
                    self._keep(stream, max(start, offset), part)
        await self._relay.write(stream, offset, data)

    async def take_tail(self, output: RunOutput) -> None:
        """Keep a piece of what was written beyond the limit, once the end is known."""
        stream, offset = output.stream, output.offset
        if offset > (stored := self._next(stream)):
            self.progress.gaps[stream] = (stored, offset)
        self._keep(stream, offset, output.data)
        if self._pending_bytes >= STORE_BYTES * 4:
            await self.store()

    def missing(self, totals: dict[Stream, int]) -> dict[Stream, int]:
        """For streams not stored whole: the offset from which the rest is to be kept."""
        cuts = self.cuts(totals)
        return {
            stream: max(self._next(stream), cuts.get(stream, 0))
            for stream in STREAMS
            if self._next(stream) < totals[stream]
        }

    def cuts(self, totals: dict[Stream, int]) -> dict[Stream, int]:
        """For streams over the limit: the offset at which the kept tail begins."""
        tail = self._limit - self._head_limit
        return {s: totals[s] - tail for s in STREAMS if totals[s] > self._limit}

    def _next(self, stream: Stream) -> int:
        for name, offset, data in reversed(self._pending):
            if name == stream:
                return offset + len(data)
        return self.progress.stored[stream]

    def _keep(self, stream: Stream, offset: int, data: bytes) -> None:
        if not self._pending:
            self._since = self._clock()
        for name, start, kept in reversed(self._pending):
            if name == stream:
                joins = start + len(kept) == offset != self._head_limit
                if joins and len(kept) + len(data) <= STORE_BYTES:
                    kept += data
                    self._pending_bytes += len(data)
                    return
                break
        self._pending.append((stream, offset, bytearray(data)))
        self._pending_bytes += len(data)

    def has_pending(self) -> bool:
        """Whether output waits to be stored."""
        return bool(self._pending)

    async def store_if_due(self) -> None:
        """Store when enough has gathered or waited; a slow talker waits longer over time."""
        waited = self._clock() - self._since
        if self._pending and (self._pending_bytes >= STORE_BYTES or waited >= self._interval):
            small = self._pending_bytes < STORE_BYTES // 16
            longest = STORE_SECONDS[1] if small else STORE_SECONDS[0]
            self._interval = min(longest, self._interval * 1.1)
            await self.store()

    def _pieces(self) -> tuple[dict[Stream, int], list[OutputChunk]]:
        before = dict(self.progress.stored)
        pieces = []
        for stream, offset, data in self._pending:
            pieces.append(records.piece(self.command, stream, offset, bytes(data)))
            self.progress.stored[stream] = offset + len(data)
        self._pending, self._pending_bytes = [], 0
        return before, pieces

    async def store(self) -> None:
        """Write what has gathered. Raises ``LeaseLost``."""
        before, pieces = self._pieces()
        if not await self._call(records.store, self.command, before, self.progress, pieces):
            raise LeaseLost

    async def finish(
        self, outcome: dict[str, Any], totals: dict[Stream, int] | None = None
    ) -> None:
        """Write the rest and the outcome, then tell. Raises ``LeaseLost``."""
        before, pieces = self._pieces()
        cuts = self.cuts(totals) if totals else {}
        done = await self._call(
            records.finish, self.command, before, self.progress, pieces, cuts, **outcome
        )
        if not done:
            raise LeaseLost
        await self._relay.end(json.dumps(end_message(self.command)).encode())
