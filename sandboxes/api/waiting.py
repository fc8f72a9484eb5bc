"""``?wait=SECONDS``: answer as soon as a row has come to rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from gcportal.aio import run_db
from gcportal.notify import Listener

T = TypeVar("T")

WAIT_LIMIT = 60
# Hints may be lost; the row is read at least so often.
LOOK_SECONDS = 2.0


async def until(
    read: Callable[[], T], rested: Callable[[T], bool], topic: Callable[[T], str], seconds: float
) -> T:
    """The row once it has come to rest, or as it is after so many seconds.

    Args:
        read: fetches it; raises when the person may not see it (any more).
        topic: whose hints say that it changed.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    found = await run_db(read)
    if seconds <= 0 or rested(found):
        return found
    async with Listener([topic(found)]) as hints:
        while True:
            found = await run_db(read)
            left = deadline - clock()
            if left <= 0 or rested(found):
                return found
            await hints.wait(min(left, LOOK_SECONDS))
