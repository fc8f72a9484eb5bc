"""One output stream of a run: from the command's pipe into its journal file.

The command writes to a pipe, not to the file itself: ``> /dev/stderr`` in a script would
truncate a file, and a file can't be bounded from outside. The file keeps logical offsets (byte
N of the stream is at offset N). Beyond ``limit`` bytes the middle is given back to the disk by
punching a hole; the end of the dropped range is published *before* that, so that a reader
which reads data first and this mark second knows whether what it read was still whole.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import termios
from collections.abc import Callable
from contextlib import suppress

from . import system
from .loop import READ, Loop
from .records import write_record

CHUNK = 256 * 1024
PIPE_SIZE = 256 * 1024
RETRY_SECONDS = 0.25
MEMORY_TAIL = 1024 * 1024
_buffer = bytearray(CHUNK)
_view = memoryview(_buffer)


class Journal:
    """A bounded, append-only file of one stream."""

    def __init__(self, dir_fd: int, name: str, limit: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._fd = os.open(name, flags, 0o600, dir_fd=dir_fd)
        self._dir_fd = dir_fd
        self._name = name
        self._limit = limit
        self._head = limit // 2
        self._tail = limit - self._head
        # Dropping in steps keeps the mark's writes rare; the file exceeds the limit by a step.
        self._step = max(64 * 1024, min(4 * 1024 * 1024, limit // 8))
        self._dropped = self._head
        self._memory: bytearray | None = None
        self.total = 0

    def append(self, data: memoryview) -> None:
        """Add bytes; ``OSError`` (a full disk) leaves those not yet written with the caller."""
        if self._memory is not None:
            self._memory += data
            del self._memory[:-MEMORY_TAIL]
            self.total += len(data)
            return
        while data:
            written = os.pwrite(self._fd, data, self.total)
            self.total += written
            data = data[written:]
        if self.total - self._tail - self._dropped >= self._step:
            self._drop(self.total - self._tail)

    def _drop(self, end: int) -> None:
        write_record(self._dir_fd, f"{self._name}.gap", {"start": self._head, "end": end})
        if not system.punch_hole(self._fd, self._dropped, end):
            # This file system can't: keep the head, and the last part in memory until the end.
            os.ftruncate(self._fd, self._head)
            self._memory = bytearray()
        self._dropped = end

    def close(self) -> None:
        """Bring the kept tail to its exact size and close the file."""
        if self._memory is not None:
            end = self.total - len(self._memory)
            write_record(self._dir_fd, f"{self._name}.gap", {"start": self._head, "end": end})
            os.pwrite(self._fd, self._memory, end)
        elif self.total - self._tail > self._dropped:
            self._drop(self.total - self._tail)
        os.close(self._fd)


class StreamPump:
    """Moves what a command writes into its journal, and afterwards into nothing."""

    def __init__(self, loop: Loop, pipe_fd: int, journal: Journal) -> None:
        self._loop = loop
        self._pipe = pipe_fd
        self._journal: Journal | None = journal
        self._pending = memoryview(b"")
        self._remaining: int | None = None
        self._on_finished: Callable[[], None] | None = None
        self.total = 0
        # Over the user's quota of pipe pages the default size has to do.
        with suppress(OSError):
            fcntl.fcntl(pipe_fd, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        os.set_blocking(pipe_fd, False)
        loop.watch(pipe_fd, READ, self._readable)

    def finish(self, on_finished: Callable[[], None]) -> None:
        """Journal what is in the pipe now, then call back; what comes later is not the run's."""
        self._on_finished = on_finished
        self._remaining = _bytes_in(self._pipe) if self._pipe >= 0 else 0
        if not self._pending:
            self._readable(0)

    def abandon(self) -> None:
        """Close without waiting for a full disk any longer."""
        self._pending = memoryview(b"")
        self._remaining = 0
        self._settle()

    def _readable(self, _events: int) -> None:
        if self._pipe >= 0 and self._remaining != 0 and not self._take():
            return
        self._settle()
        if self._journal is None and self._pipe >= 0:
            self._discard()

    def _take(self) -> bool:
        """Read and journal once; while finishing, until all is in. False: try again later."""
        while True:
            count = CHUNK if self._remaining is None else min(CHUNK, self._remaining)
            try:
                got = os.readv(self._pipe, [_view[:count]])
            except BlockingIOError:
                got = -1
            if got == 0:
                self._close_pipe()
            if got <= 0:
                self._remaining = 0 if self._remaining is not None else None
                return self._remaining == 0
            if self._remaining is not None:
                self._remaining -= got
            if not self._store(_view[:got]) or self._remaining is None:
                return False
            if self._remaining == 0:
                return True

    def _store(self, data: memoryview) -> bool:
        """Journal bytes; on a full disk keep them, stop reading (the command waits) and retry."""
        assert self._journal is not None
        before = self._journal.total
        try:
            self._journal.append(data)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            self._pending = memoryview(bytes(data[self._journal.total - before :]))
        self.total = self._journal.total
        if not self._pending:
            return True
        if self._pipe >= 0:
            self._loop.unwatch(self._pipe)
        self._loop.call_later(RETRY_SECONDS, self._retry)
        return False

    def _retry(self) -> None:
        data, self._pending = self._pending, memoryview(b"")
        if self._journal is None or not self._store(data):
            return
        if self._pipe >= 0:
            self._loop.watch(self._pipe, READ, self._readable)
        if self._on_finished is not None:
            self._readable(0)

    def _settle(self) -> None:
        """Close the journal and tell, once a finishing stream is complete."""
        if self._on_finished is None or self._journal is None:
            return
        if self._remaining != 0 or self._pending:
            return
        journal, self._journal = self._journal, None
        try:
            journal.close()
        finally:
            self._on_finished()

    def _discard(self) -> None:
        """A background process still writes: read it into nothing, so it lives on unharmed."""
        try:
            if os.readv(self._pipe, [_view]) == 0:
                self._close_pipe()
        except BlockingIOError:
            pass

    def _close_pipe(self) -> None:
        self._loop.unwatch(self._pipe)
        os.close(self._pipe)
        self._pipe = -1


def _bytes_in(fd: int) -> int:
    """How many bytes a pipe holds at this moment."""
    answer = fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0")
    return int(struct.unpack("i", answer)[0])
