"""Leading-edge batching: the first event after a pause at once, later ones gathered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from providers.contract import RunEvent, RunExit, RunOutput

INTERVAL_SECONDS = 0.02
BATCH_BYTES = 64 * 1024
TICK_SECONDS = 0.25


async def paced(
    events: AsyncIterator[RunEvent], waiting: Callable[[], bool]
) -> AsyncIterator[list[RunEvent]]:
    """Batches of events, at most one per 20 ms or 64 KiB; an exit is never held back.

    While nothing comes and ``waiting`` says that the caller has something to see to, there is
    an empty batch every quarter of a second. What the source raises comes after all it gave.
    """
    clock = asyncio.get_running_loop().time
    upcoming: asyncio.Future[Any] = asyncio.ensure_future(anext(events))
    batch: list[RunEvent] = []
    size, last = 0, 0.0
    try:
        while True:
            idle = TICK_SECONDS if waiting() else None
            timeout = max(0.0, last + INTERVAL_SECONDS - clock()) if batch else idle
            done, _ = await asyncio.wait({upcoming}, timeout=timeout)
            if done:
                if upcoming.exception() is not None:
                    break
                event = upcoming.result()
                batch.append(event)
                size += len(event.data) if isinstance(event, RunOutput) else 0
                if isinstance(event, RunExit):
                    yield batch
                    return
                upcoming = asyncio.ensure_future(anext(events))
                if size < BATCH_BYTES and clock() - last < INTERVAL_SECONDS:
                    continue
            yield batch
            batch, size, last = [], 0, clock()
        if batch:
            yield batch
        error = upcoming.exception()
        if error is not None and not isinstance(error, StopAsyncIteration):
            raise error
    finally:
        upcoming.cancel()
