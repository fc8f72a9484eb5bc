"""Hints: "this changed, look again". Never data that exists nowhere else.

Topics are ``team/<id>``, ``sandbox/<id>``, ``command/<id>`` and ``providers``; each is a group
of the channel layer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import redis.exceptions
import structlog
from channels.layers import get_channel_layer
from django.db import transaction

from .aio import background_loop, spawn

log = structlog.get_logger(__name__)

# Hints of one moment go out together, each topic once, after the work that they tell of.
GATHER_SECONDS = 0.03
_gathered: set[str] = set()  # touched on the background loop only


def group_of(topic: str) -> str:
    """The channel layer's group for a topic (it takes no slash)."""
    return topic.replace("/", ".")


async def tell(topics: Iterable[str]) -> None:
    """Send a hint for each topic. A Redis that is down is logged and else ignored."""
    layer: Any = get_channel_layer()
    try:
        for topic in topics:
            await layer.group_send(group_of(topic), {"type": "hint", "topic": topic})
    except (redis.exceptions.RedisError, OSError) as error:
        log.warning("hint_not_sent", error=str(error))


def changed(*topics: str) -> None:
    """Send hints once the transaction is committed, without waiting for it."""
    transaction.on_commit(lambda: _tell_soon(topics), robust=True)


def _tell_soon(topics: tuple[str, ...]) -> None:
    background_loop().call_soon_threadsafe(_gather, topics)


def _gather(topics: tuple[str, ...]) -> None:
    if not _gathered:
        asyncio.get_running_loop().call_later(GATHER_SECONDS, _tell_gathered)
    _gathered.update(topics)


def _tell_gathered() -> None:
    topics = sorted(_gathered)
    _gathered.clear()
    spawn(tell(topics))


class Listener:
    """Waits for hints: ``async with Listener(topics) as hints: await hints.wait(seconds)``.

    Subscribe first, then read the row, then wait: no change is missed in between.
    """

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = list(topics)
        self._layer: Any = get_channel_layer()
        self._channel = ""
        self._receive: asyncio.Future[Any] | None = None

    async def __aenter__(self) -> Listener:
        try:
            self._channel = await self._layer.new_channel()
            for topic in self._topics:
                await self._layer.group_add(group_of(topic), self._channel)
        except (redis.exceptions.RedisError, OSError):
            self._channel = ""
        return self

    async def wait(self, seconds: float) -> None:
        """Return at the next hint, or after ``seconds``, or at most a second without Redis."""
        if not self._channel:
            await asyncio.sleep(min(seconds, 1.0))
            return
        # kept from one wait to the next: the layer forgets a channel whose receive is cancelled
        self._receive = self._receive or asyncio.ensure_future(self._layer.receive(self._channel))
        done, _ = await asyncio.wait({self._receive}, timeout=max(seconds, 0))
        if done:
            self._receive = None

    async def __aexit__(self, *exc: Any) -> None:
        if not self._channel:
            return
        for topic in self._topics:
            await self._layer.group_discard(group_of(topic), self._channel)
        # the layer forgets the channel when a receive that has begun to wait is cancelled
        receive = self._receive
        while receive is None or receive.done():
            receive = asyncio.ensure_future(self._layer.receive(self._channel))
            await asyncio.sleep(0)
        receive.cancel()
        await asyncio.wait({receive})
