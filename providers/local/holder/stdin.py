"""Standard input of a run: a bounded buffer, written at most once per byte."""

from __future__ import annotations

import os

from .loop import WRITE, Loop

BUFFER_SIZE = 1024 * 1024


class StdinFeeder:
    """Takes bytes by position and passes them on as fast as the command reads."""

    def __init__(self, loop: Loop, pipe_fd: int) -> None:
        self._loop = loop
        self._pipe = pipe_fd
        self._buffer = bytearray()
        self._eof = False
        self._taken = 0
        os.set_blocking(pipe_fd, False)

    def write(self, offset: int, data: bytes, eof: bool) -> int:
        """Take what is new and fits; returns the position up to which everything is taken."""
        if offset <= self._taken and not self._eof:
            fresh = data[self._taken - offset :]
            # Nobody reads a closed pipe: those bytes count as taken and go nowhere.
            space = BUFFER_SIZE - len(self._buffer) if self._pipe >= 0 else len(fresh)
            part = fresh[:space]
            self._taken += len(part)
            if self._pipe >= 0:
                self._buffer += part
            if eof and len(part) == len(fresh):
                self._eof = True
            self._flush(WRITE)
        return self._taken

    def close(self) -> None:
        """The run is over: drop what nobody read."""
        self._buffer.clear()
        self._close_pipe()

    def _flush(self, _events: int) -> None:
        while self._buffer and self._pipe >= 0:
            try:
                del self._buffer[: os.write(self._pipe, self._buffer[:65536])]
            except BlockingIOError:
                self._loop.watch(self._pipe, WRITE, self._flush)
                return
            except BrokenPipeError:
                self._buffer.clear()
                self._close_pipe()
        if self._pipe >= 0:
            self._loop.unwatch(self._pipe)
            if self._eof:
                self._close_pipe()

    def _close_pipe(self) -> None:
        if self._pipe >= 0:
            self._loop.unwatch(self._pipe)
            os.close(self._pipe)
            self._pipe = -1
