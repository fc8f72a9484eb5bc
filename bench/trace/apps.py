"""Wraps the functions along a command's way, so that each says when it began and ended.

``time.monotonic`` is one clock for all processes of a machine; commands of a traced run go one
after another, so stamps need no id.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from django.apps import AppConfig

_fd = os.open(os.environ["BENCH_TRACE"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def stamp(name: str, at: float | None = None) -> None:
    """Note that this happens now (or happened then)."""
    os.write(_fd, f"{name} {time.monotonic() if at is None else at:.6f}\n".encode())


def _wrapped(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def traced(*args: Any, **kwargs: Any) -> Any:
            stamp(f"{name}+")
            try:
                return await function(*args, **kwargs)
            finally:
                stamp(f"{name}-")
    else:

        @functools.wraps(function)
        def traced(*args: Any, **kwargs: Any) -> Any:
            stamp(f"{name}+")
            try:
                return function(*args, **kwargs)
            finally:
                stamp(f"{name}-")

    return traced


def trace(owner: Any, attribute: str, name: str) -> None:
    """Have this function of a module or class stamped."""
    setattr(owner, attribute, _wrapped(getattr(owner, attribute), name))


def _in_web() -> None:
    from gcportal import celery
    from gcportal.hub import Ring
    from sandboxes.live.consumer import PortalConsumer
    from sandboxes.live.feed import Feed

    trace(PortalConsumer, "receive", "receive")
    trace(PortalConsumer, "_run", "insert")
    trace(celery, "send", "publish")
    trace(Ring, "push", "push")
    trace(Feed, "_finish", "feed_finish")


def _in_worker() -> None:
    from gcportal.relay import RelayWriter
    from providers.local.session import LocalSession
    from sandboxes import tasks
    from sandboxes.following import follower, records

    trace(tasks, "follow", "follow")
    trace(records, "claim", "claim")
    trace(records, "finish", "record_end")
    trace(LocalSession, "start_run", "start_run")
    trace(RelayWriter, "write", "relay_write")
    trace(RelayWriter, "end", "relay_end")
    end = follower._Follower._end

    async def traced_end(self: Any, session: Any, exit_: Any) -> None:
        wall = time.time() - time.monotonic()
        stamp("process_started", exit_.started_at - wall)
        stamp("process_ended", exit_.ended_at - wall)
        stamp("exit_seen")
        await end(self, session, exit_)

    follower._Follower._end = traced_end


def _statements() -> None:
    from django.db.backends.utils import CursorWrapper

    process = "worker" if "celery" in sys.argv[0] else "web"
    trace(CursorWrapper, "execute", f"sql_{process}")
    trace(CursorWrapper, "executemany", f"sql_{process}")


class TraceConfig(AppConfig):
    """Wraps once all models are there."""

    name = "bench.trace"

    def ready(self) -> None:
        _in_web()
        _in_worker()
        _statements()
