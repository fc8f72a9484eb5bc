"""2,000 idle sockets on one web process: memory, pace of connecting, answers meanwhile."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

from redis import Redis

from tests.support.client import Socket

from . import portals
from .report import Report, percentile

SOCKETS, AT_ONCE, PINGS = 2000, 8, 200


async def measure(report: Report, quick: bool) -> None:
    """Each socket watches a sandbox, as a page does."""
    report.begin("idle_sockets")
    count = 100 if quick else SOCKETS
    available = portals.raise_descriptor_limit()
    report.check("file descriptors", available > count + 500, f"only {available} to be had")
    with portals.running() as portal:
        (box,) = portal.sandboxes()
        async with AsyncExitStack() as stack:
            probe = await stack.enter_async_context(portal.socket())
            await probe.until("hello")
            idle_pings = await _pings(probe)
            before, clients = portal.rss()["web"], _redis_clients(portal)
            opened: list[Socket] = []
            began = time.monotonic()
            pace = asyncio.Semaphore(AT_ONCE)
            async with asyncio.TaskGroup() as group:
                for _ in range(count):
                    group.create_task(_open(portal, box, pace, stack, opened))
            seconds = time.monotonic() - began
            await asyncio.sleep(2)
            after = portal.rss()["web"]
            pings = await _pings(probe)
            report.check("all connected", len(opened) == count, f"{len(opened)} of {count}")
            _add(report, count, seconds, (before, after), (idle_pings, pings))
            now = _redis_clients(portal)
            report.add("Redis clients, before → with them", f"{clients} → {now}",
                       before=clients, after=now)  # fmt: skip
            await _one_hint(report, probe, box, opened)


async def _open(
    portal: portals.Measured,
    box: str,
    pace: asyncio.Semaphore,
    stack: AsyncExitStack,
    opened: list[Socket],
) -> None:
    async with pace:
        socket = await stack.enter_async_context(portal.socket())
        await socket.say("watch", topics=[f"sandbox/{box}"])
        await socket.until("watching", 60)
        opened.append(socket)


async def _pings(socket: Socket) -> list[float]:
    times = []
    for _ in range(PINGS):
        began = time.monotonic()
        await socket.say("ping")
        await socket.until("pong")
        times.append((time.monotonic() - began) * 1000)
    return times


def _redis_clients(portal: portals.Measured) -> int:
    with Redis.from_url(portal.redis_url) as client:
        found: Any = client.info("clients")
        return int(found["connected_clients"]) - 1


def _add(
    report: Report,
    count: int,
    seconds: float,
    memory: tuple[float, float],
    pings: tuple[list[float], list[float]],
) -> None:
    before, after = memory
    each = (after - before) * 1024 / count
    report.add(f"{count} sockets opened and watching", f"{count / seconds:.0f} per s",
               per_second=count / seconds)  # fmt: skip
    report.add("memory of web, before → with them",
               f"{before:.0f} → {after:.0f} MiB, {each:.0f} KiB each", kib_each=each)  # fmt: skip
    for what, times in (("alone", pings[0]), (f"beside {count} sockets", pings[1])):
        p50, p95 = percentile(times, 0.5), percentile(times, 0.95)
        report.add(f"ping {what}, p50 / p95", f"{p50:.2f} / {p95:.2f} ms", p50_ms=p50, p95_ms=p95)


async def _one_hint(report: Report, probe: Socket, box: str, opened: list[Socket]) -> None:
    """One change of the sandbox reaches every page that shows it."""
    began = time.monotonic()
    await probe.say("run", sandbox=box, command="true")
    async with asyncio.timeout(120):
        await asyncio.gather(*(one.until("changed", 120, topic=f"sandbox/{box}") for one in opened))
    seconds = time.monotonic() - began
    report.add("one hint to all of them", f"{seconds:.2f} s", seconds=seconds)
