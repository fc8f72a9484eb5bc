"""For feeds of quiet commands: one question to the database for all of a process's, every 2 s.

A relay that speaks is enough. This finds what was stored or ended while Redis was away.
"""

from __future__ import annotations

import asyncio
import uuid
import weakref
from typing import Any

from django.db import Error as DatabaseError

from gcportal.aio import run_db, spawn
from gcportal.hub import Ring

from ..models import Command
from ..states import ENDED

LOOK_SECONDS = 2.0
BATCH = 500
_lookouts: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Lookout] = (
    weakref.WeakKeyDictionary()
)


def lookout() -> Lookout:
    """The running loop's lookout."""
    return _lookouts.setdefault(asyncio.get_running_loop(), Lookout())


class Lookout:
    """Knows which commands are followed, and wakes the feeds of those that moved unheard."""

    def __init__(self) -> None:
        self._rings: dict[uuid.UUID, Ring] = {}
        self._known: dict[uuid.UUID, tuple[Any, ...]] = {}
        self._moved: set[uuid.UUID] = set()
        self._running = False

    def watch(self, pk: uuid.UUID, ring: Ring) -> None:
        """Look after a command; its ring wakes its feeds. Again for each further feed."""
        self._rings[pk] = ring
        if not self._running:
            self._running = True
            spawn(self._look_forever())

    def moved(self, pk: uuid.UUID) -> bool:
        """Whether the row has moved since it was asked for last; asking is cheap."""
        return pk in self._moved

    async def _look_forever(self) -> None:
        while self._rings:
            await asyncio.sleep(LOOK_SECONDS)
            self._moved.clear()
            for pk in [pk for pk, ring in self._rings.items() if not ring.readers]:
                del self._rings[pk]
                self._known.pop(pk, None)
            pks = list(self._rings)
            for start in range(0, len(pks), BATCH):
                await self._look(pks[start : start + BATCH])
        self._running = False

    async def _look(self, pks: list[uuid.UUID]) -> None:
        try:
            rows = await run_db(_positions, pks)
        except DatabaseError:
            return  # it will answer again
        for pk, *position in rows:
            known = self._known.get(pk)
            self._known[pk] = tuple(position)
            ring = self._rings.get(pk)
            if ring is not None and (known != tuple(position) or position[0] in ENDED):
                self._moved.add(pk)
                ring.wake()


def _positions(pks: list[uuid.UUID]) -> list[tuple[Any, ...]]:
    rows = Command.objects.filter(pk__in=pks)
    return list(rows.values_list("pk", "state", "stdout_stored", "stderr_stored"))
