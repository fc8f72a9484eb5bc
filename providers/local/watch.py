"""One inotify descriptor per event loop tells every follower that its journal has grown.

Straight on the system calls: a library that makes an object per event costs more than the rest
of following does when hundreds of commands print at once.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_MODIFY, _MOVED_TO, _CREATE, _DELETE_SELF = 0x2, 0x80, 0x100, 0x400
_MASK = _MODIFY | _MOVED_TO | _CREATE | _DELETE_SELF
_OVERFLOW, _IGNORED = 0x4000, 0x8000
_HEADER = struct.Struct("iIII")
_libc = ctypes.CDLL(None, use_errno=True)

Callback = Callable[[], None]


class FolderWatch:
    """Wakes callbacks when something in a watched folder changes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._fd = _libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        self._callbacks: dict[int, set[Callback]] = {}
        if self._fd >= 0:
            loop.add_reader(self._fd, self._ready)
            weakref.finalize(self, os.close, self._fd)

    @contextmanager
    def watching(self, dir_fd: int, callback: Callback) -> Iterator[bool]:
        """Call back on changes until left. False: the host has no watch left, so poll."""
        path = f"/proc/self/fd/{dir_fd}".encode()
        wd = _libc.inotify_add_watch(self._fd, path, _MASK) if self._fd >= 0 else -1
        if wd < 0:
            yield False
            return
        callbacks = self._callbacks.setdefault(wd, set())
        callbacks.add(callback)
        try:
            yield True
        finally:
            callbacks.discard(callback)
            if not callbacks and self._callbacks.get(wd) is callbacks:
                del self._callbacks[wd]
                _libc.inotify_rm_watch(self._fd, wd)

    def _ready(self) -> None:
        try:
            data = os.read(self._fd, 65536)
        except BlockingIOError:
            return
        changed: set[int] = set()
        position = 0
        while position < len(data):
            wd, mask, _, length = _HEADER.unpack_from(data, position)
            position += _HEADER.size + length
            if mask & _OVERFLOW:
                changed.update(self._callbacks)
            changed.add(wd)
        for wd in changed:
            for callback in tuple(self._callbacks.get(wd, ())):
                callback()


_watches: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, FolderWatch] = (
    weakref.WeakKeyDictionary()
)


def folder_watch() -> FolderWatch:
    """The running loop's watch."""
    loop = asyncio.get_running_loop()
    watch = _watches.get(loop)
    if watch is None:
        watch = _watches[loop] = FolderWatch(loop)
    return watch
