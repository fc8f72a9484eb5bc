"""Following a run: straight from its journal files, by offset, woken by inotify.

The holder is not asked for a single byte, so a busy sandbox can't slow its followers down, and
output stays readable when the holder is gone. Order of reading matters: whether the holder
lives, then the end record, then the data, then the mark of what was dropped. Each step can only
be outdated in the direction that makes us look once more.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from providers.contract import (
    STREAMS,
    RunEnd,
    RunEvent,
    RunExit,
    RunGap,
    RunNotFound,
    RunOutput,
    SandboxGone,
    Stream,
)

from .client import HolderClient
from .state import DIRECTORY, FILE, StateDir, read_json
from .watch import folder_watch

SMALL = 64 * 1024
LARGE = 256 * 1024
# A safety net only: changes arrive by inotify. Without a watch we poll.
LOOK_AGAIN = 15.0
POLL = 0.05


class StreamReader:
    """Reads one journal file from an offset on."""

    def __init__(self, dir_fd: int, stream: Stream, position: int) -> None:
        self.position = position
        self._dir_fd = dir_fd
        self._stream = stream
        self._fd = -1
        self._size = SMALL

    def read(self, head: int) -> list[RunEvent]:
        """What is there now: an output, a gap, both in this order, or nothing."""
        data = self._pread()
        # Below ``head`` nothing is ever dropped; beyond it the mark decides, read after the data.
        if self.position + len(data) <= head and (data or self.position < head):
            return self._output(data)
        before = data[: max(0, head - self.position)]
        events = self._output(before)
        data = data[len(before) :]
        mark = read_json(self._dir_fd, f"{self._stream}.gap") or {}
        end = mark.get("end", 0)
        if isinstance(end, int) and end > self.position:
            events.append(RunGap(self._stream, self.position, end))
            data = data[end - self.position :]
            self.position = end
        return events + self._output(data)

    def skip(self, end: int) -> list[RunEvent]:
        """Give up on bytes that the record counts but the file doesn't have."""
        start, self.position = self.position, end
        return [RunGap(self._stream, start, end)]

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _pread(self) -> bytes:
        if self._fd < 0:
            try:
                # Most commands never write to stderr: no descriptor for an empty file.
                if os.stat(self._stream, dir_fd=self._dir_fd).st_size <= self.position:
                    return b""
                self._fd = os.open(self._stream, FILE, dir_fd=self._dir_fd)
            except FileNotFoundError:
                return b""
        data = os.pread(self._fd, self._size, self.position)
        self._size = LARGE if len(data) >= SMALL else SMALL
        return data

    def _output(self, data: bytes) -> list[RunEvent]:
        if not data:
            return []
        event = RunOutput(self._stream, self.position, data)
        self.position += len(data)
        return [event]


async def follow(
    state: StateDir, client: HolderClient, run_id: str, offsets: Mapping[Stream, int]
) -> AsyncGenerator[RunEvent, None]:
    """Yield a run's events from the offsets on; see ``SandboxSession.follow_run``."""
    dir_fd = _open_run(state, run_id)
    readers = {s: StreamReader(dir_fd, s, max(0, offsets.get(s, 0))) for s in STREAMS}
    changed = asyncio.Event()
    try:
        with folder_watch().watching(dir_fd, changed.set) as watched:
            events = _events(dir_fd, readers, client, changed, watched)
            async with aclosing(events):
                async for event in events:
                    yield event
    finally:
        for reader in readers.values():
            reader.close()
        os.close(dir_fd)


def _open_run(state: StateDir, run_id: str) -> int:
    state.require_files()
    runs_fd = state.open("runs")
    try:
        return os.open(run_id, DIRECTORY, dir_fd=runs_fd)
    except OSError:
        raise RunNotFound("The sandbox knows no such run.") from None
    finally:
        os.close(runs_fd)


async def _events(
    dir_fd: int,
    readers: dict[Stream, StreamReader],
    client: HolderClient,
    changed: asyncio.Event,
    watched: bool,
) -> AsyncGenerator[RunEvent, None]:
    start: dict[str, Any] | None = None
    life = Life(client, changed)
    try:
        while True:
            changed.clear()
            alive = await life.check()
            end = read_json(dir_fd, "exit.json")
            if start is None:
                start = read_json(dir_fd, "start.json")
                if start is None and os.fstat(dir_fd).st_nlink == 0:
                    raise RunNotFound("The run was refused and never started.")
            if start is not None and not life.is_of(start.get("life")):
                alive = False  # of an earlier life: it died with that one's holder
            found = False
            head = start["limit"] // 2 if start is not None else 0
            for reader in readers.values() if start is not None else ():
                for event in reader.read(head):
                    found = True
                    yield event
            if end is not None and not found:
                for event in _finish(end, readers):
                    yield event
                return
            if not alive and not found:
                raise SandboxGone("The sandbox went away before the command's end was recorded.")
            if found:
                await asyncio.sleep(0)  # a flood must not starve the loop's other followers
            else:
                await _wait(changed, LOOK_AGAIN if watched else POLL)
    finally:
        life.close()


def _finish(end: dict[str, Any], readers: dict[Stream, StreamReader]) -> list[RunEvent]:
    """The last events: the end, after naming what a full disk may have swallowed."""
    events: list[RunEvent] = []
    for stream, reader in readers.items():
        if reader.position < end[f"{stream}_bytes"]:
            events += reader.skip(end[f"{stream}_bytes"])
    events.append(
        RunExit(
            end=RunEnd(end["end"]),
            exit_code=end["exit_code"],
            signal=end["signal"],
            started_at=end["started_at"],
            ended_at=end["ended_at"],
            stdout_bytes=end["stdout_bytes"],
            stderr_bytes=end["stderr_bytes"],
            limit=end.get("limit") or "",
        )
    )
    return events


async def _wait(changed: asyncio.Event, limit: float) -> None:
    try:
        async with asyncio.timeout(limit):
            await changed.wait()
    except TimeoutError:
        pass


class Life:
    """Whether the holder lives, told by its connection; wakes the follower when that breaks."""

    def __init__(self, client: HolderClient, changed: asyncio.Event) -> None:
        self._client = client
        self._changed = changed
        self._connection: Any = None

    async def check(self) -> bool:
        """Whether the holder lives now; once False, nothing will be written any more."""
        if self._connection is not None and not self._connection.closed:
            return True
        self.close()
        try:
            self._connection = await self._client.connect()
        except SandboxGone:
            return False
        self._connection.on_closed.add(self._changed.set)
        return True

    def is_of(self, life: object) -> bool:
        """Whether the present holder is the one that started something."""
        return self._connection is not None and self._connection.life == life

    def close(self) -> None:
        """Stop listening for the end of the connection."""
        if self._connection is not None:
            self._connection.on_closed.discard(self._changed.set)
            self._connection = None
