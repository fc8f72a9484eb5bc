"""Asyncio beside Django: one background loop per process, and the ORM from coroutines.

Provider calls and hints run on the background loop, also in a web process or a command. The ORM
is called in threads of a small executor of our own: asgiref's default would queue all sockets of
a process behind one thread.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

import structlog
from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger(__name__)
_executor = ThreadPoolExecutor(max_workers=8, thread_name_prefix="orm")
_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_tasks: set[asyncio.Task[Any]] = set()


def _release_connections() -> None:
    for connection in connections.all(initialized_only=True):
        # SQLite connections are cheap to keep and dear to open; pooled ones go back to the pool.
        if connection.vendor != "sqlite" or connection.errors_occurred:
            connection.close()


def _call(func: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    try:
        return func(*args, **kwargs)
    finally:
        _release_connections()


async def run_db(func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function that uses the ORM in a thread and await its result."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_executor, functools.partial(_call, func, args, kwargs))


def background_loop() -> asyncio.AbstractEventLoop:
    """The process's background loop, started at its first use."""
    global _loop
    with _lock:
        if _loop is None or _loop.is_closed():
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="portal-loop", daemon=True).start()
        return _loop


def submit(coroutine: Coroutine[Any, Any, T]) -> Future[T]:
    """Run a coroutine on the background loop; the future tells how it went."""
    future = asyncio.run_coroutine_threadsafe(coroutine, background_loop())
    future.add_done_callback(_finished)
    return future


def spawn(coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Start a task on the running loop, keep it from being collected, log what it dies of."""
    task = asyncio.get_running_loop().create_task(coroutine)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    task.add_done_callback(_finished)
    return task


def _finished(done: Future[Any] | asyncio.Task[Any]) -> None:
    if not done.cancelled() and (error := done.exception()):
        log.error("background_task_failed", exc_info=error)
