"""A small event loop: file descriptors and timers. asyncio would cost 8 MB per sandbox."""

from __future__ import annotations

import heapq
import itertools
import selectors
import time
import traceback
from collections.abc import Callable

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE


class Timer:
    """A callback that is due at a moment; ``cancel`` makes it never happen."""

    __slots__ = ("callback", "due")

    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Forget the callback; harmless when it has run."""
        self.callback = None


class Loop:
    """Runs callbacks until ``stopped``; a failing callback is reported and the loop goes on."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.stopped = False
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()

    def watch(self, fd: int, events: int, callback: Callable[[int], None]) -> None:
        """Call ``callback(events)`` whenever ``fd`` is ready; replaces an earlier watch."""
        try:
            self.selector.modify(fd, events, callback)
        except KeyError:
            self.selector.register(fd, events, callback)

    def unwatch(self, fd: int) -> None:
        """Stop watching; must come before the descriptor is closed."""
        if fd in self.selector.get_map():
            self.selector.unregister(fd)

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call back once after ``delay`` seconds."""
        timer = Timer(time.monotonic() + delay, callback)
        heapq.heappush(self._timers, (timer.due, next(self._order), timer))
        return timer

    def run(self) -> None:
        """Serve until ``stopped``."""
        while not self.stopped:
            self.turn()

    def turn(self) -> None:
        """One round: wait for what is due or ready, and call it."""
        for key, events in self.selector.select(self._wait()):
            if key.fd in self.selector.get_map():
                _call(lambda key=key, events=events: key.data(events))  # type: ignore[misc]
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.callback is not None:
                _call(timer.callback)

    def _wait(self) -> float | None:
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return None
        # epoll takes milliseconds in a C int: a far deadline is waited for in pieces.
        return min(max(0.0, self._timers[0][0] - time.monotonic()), 86400.0)


def _call(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:  # noqa: BLE001 - one bad request must not end every command of the sandbox
        traceback.print_exc()
