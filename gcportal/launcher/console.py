"""Output: the launcher's own lines, the processes' lines, and their log files of bounded size."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from pathlib import Path
from typing import TextIO

LOG_LIMIT_BYTES = 5 * 1024 * 1024
LINE_LIMIT_BYTES = 16 * 1024


class Console:
    """Writes lines from a thread of its own.

    A terminal that is paused or gone must never stop the portal, so lines that find no room are
    dropped and counted.
    """

    def __init__(self, stream: TextIO, capacity: int = 2000) -> None:
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(capacity)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write, name="console", daemon=True)
        self._thread.start()

    def say(self, text: str) -> None:
        """One line; never waits."""
        try:
            if self._dropped:
                self._lines.put_nowait(f"({self._dropped} lines left out; see the log files)")
                self._dropped = 0
            self._lines.put_nowait(text)
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Write what is waiting, for a second at most."""
        with contextlib.suppress(queue.Full):
            self._lines.put(None, timeout=1)
        self._thread.join(timeout=1)

    def _write(self) -> None:
        gone = False
        while (line := self._lines.get()) is not None:
            if gone:
                continue
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                gone = True


class BoundedLog:
    """A log file and one predecessor (``.1``), each at most ``limit`` bytes."""

    def __init__(self, path: Path, limit: int = LOG_LIMIT_BYTES) -> None:
        self.path = path
        self._limit = limit

    def write(self, data: bytes) -> None:
        """Append; a full disk costs the lines, not the portal."""
        with contextlib.suppress(OSError):
            with contextlib.suppress(FileNotFoundError):
                if self.path.stat().st_size + len(data) > self._limit:
                    self.path.replace(self.path.with_name(self.path.name + ".1"))
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(file, data)
            finally:
                os.close(file)

    def last_line(self) -> str:
        """The last line that says something, for a message about a failure."""
        try:
            lines = self.path.read_bytes()[-8192:].decode(errors="replace").splitlines()
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


class LineSplitter:
    """Cuts a byte stream into lines; a line without an end is cut at the limit."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that ``data`` completes; all of the rest when it is empty."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if self._rest and (not data or len(self._rest) > LINE_LIMIT_BYTES):
            whole.append(self._rest)
            self._rest = b""
        return [line.decode(errors="replace").rstrip("\r") for line in whole]
