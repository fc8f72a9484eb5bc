"""How much disk a sandbox uses: free space watched cheaply, folders counted when it matters."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Generator

from .loop import Loop

SLICE_SECONDS = 0.004
PAUSE_SECONDS = 0.006
SCAN_INTERVAL = 10.0
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def usage(path: str, dir_fd: int | None = None) -> Generator[int, None, int]:
    """Count the disk blocks below a folder, in steps: yields after each entry, returns bytes."""
    total = 0
    seen: set[int] = set()
    pending = [path]
    while pending:
        folder = pending.pop()
        try:
            fd = _open(folder, dir_fd)
        except OSError:
            continue
        try:
            for entry in os.scandir(fd):
                try:
                    info = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                if stat.S_ISDIR(info.st_mode):
                    pending.append(f"{folder}/{entry.name}")
                elif info.st_nlink > 1:
                    if info.st_ino in seen:
                        continue
                    seen.add(info.st_ino)
                total += info.st_blocks * 512
                yield total
        finally:
            os.close(fd)
    return total


def _open(folder: str, dir_fd: int | None) -> int:
    try:
        return os.open(folder, _DIRECTORY, dir_fd=dir_fd)
    except PermissionError:
        # A folder its owner can't read would hide what is in it. It is our own: look anyway.
        os.chmod(folder, 0o700, dir_fd=dir_fd)
        fd = os.open(folder, _DIRECTORY, dir_fd=dir_fd)
        os.fchmod(fd, 0)
        return fd


def deleted_but_open(pids: list[int], device: int) -> int:
    """Bytes of files without a name that processes keep open: no folder shows them."""
    found: dict[int, int] = {}
    for pid in pids:
        try:
            names = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for name in names[:4096]:
            try:
                info = os.stat(f"/proc/{pid}/fd/{name}")
            except OSError:
                continue
            if stat.S_ISREG(info.st_mode) and info.st_nlink == 0 and info.st_dev == device:
                found[info.st_ino] = info.st_blocks * 512
    return sum(found.values())


class DiskWatch:
    """Scans home and journals in slices when free space has dropped, or now and then."""

    def __init__(
        self,
        loop: Loop,
        home: str,
        runs_fd: int,
        limit: int,
        on_usage: Callable[[int], None],
        pids: Callable[[], list[int]],
    ) -> None:
        self._loop = loop
        self._home = home
        self._runs_fd = runs_fd
        self._limit = limit
        self._on_usage = on_usage
        self._pids = pids
        self._free_at_scan = self._free()
        self._next_scan = 0.0
        self._scanning = False
        self.used = 0

    def tick(self) -> None:
        """Start a scan if one is due."""
        if self._scanning:
            return
        headroom = max(self._limit - self.used, 16 * 1024 * 1024)
        dropped = self._free_at_scan - self._free()
        if dropped > headroom // 4 or time.monotonic() >= self._next_scan:
            self.scan()

    def scan(self) -> None:
        """Scan now, in slices between which the loop serves others."""
        if not self._scanning:
            self._scanning = True
            self._free_at_scan = self._free()
            self._slice(self._count())

    def _free(self) -> int:
        try:
            info = os.statvfs(self._home)
        except OSError:
            return 0
        return info.f_bfree * info.f_frsize

    def _count(self) -> Generator[int, None, int]:
        home = yield from usage(self._home)
        journals = yield from usage(".", self._runs_fd)
        device = os.stat(self._home).st_dev
        return home + journals + deleted_but_open(self._pids(), device)

    def _slice(self, counting: Generator[int, None, int]) -> None:
        until = time.monotonic() + SLICE_SECONDS
        try:
            while time.monotonic() < until:
                for _ in range(64):
                    next(counting)
        except StopIteration as result:
            self.used = result.value
            self._settle()
            self._on_usage(self.used)
        except OSError:
            self._settle()  # the home went away under us; the next scan tells
        else:
            self._loop.call_later(PAUSE_SECONDS, lambda: self._slice(counting))

    def _settle(self) -> None:
        self._scanning = False
        self._next_scan = time.monotonic() + SCAN_INTERVAL
