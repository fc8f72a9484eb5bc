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

from .aio import spawn, submit

log = structlog.get_logger(__name__)


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
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        submit(tell(topics))
    else:
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
        receive = self._receive or asyncio.ensure_future(self._layer.receive(self._channel))
        receive.cancel()
        await asyncio.wait({receive})
