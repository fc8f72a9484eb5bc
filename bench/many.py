"""500 commands at once in one worker process, and how a new short one fares meanwhile."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import AsyncExitStack, suppress

from tests.support.client import Socket

from . import portals, sockets
from .report import Report, p50_p95
from .round_trip import exits, interleaved, portal_once

COMMANDS, SANDBOXES, PER_SOCKET = 500, 5, 50
AIM = 2.0
# Its own output says that it runs; it waits without using the CPU until it is told to end.
WAITER = "echo up; exec sleep 3600"
SETTLE = 3.0


class Crowd:
    """Many commands that only wait, followed by as many sockets as are needed."""

    def __init__(self, links: list[Socket], boxes: list[str]) -> None:
        self._links = links
        self._boxes = boxes
        self.up = 0
        self.ends: list[dict] = []

    async def start(self, count: int) -> float:
        """All of them; seconds until the last one has printed."""
        began = time.monotonic()
        shares = [range(i, count, len(self._links)) for i in range(len(self._links))]
        async with asyncio.timeout(240), asyncio.TaskGroup() as group:
            for link, share in zip(self._links, shares, strict=True):
                group.create_task(self._start(link, share))
        return time.monotonic() - began

    async def _start(self, link: Socket, share: range) -> None:
        for number in share:
            await link.say("run", sandbox=self._boxes[number % len(self._boxes)], command=WAITER)
        waiting = len(share)
        while waiting:
            frame = await link.next(240)
            waiting -= isinstance(frame, tuple)
            if isinstance(frame, dict) and frame["op"] in ("end", "error"):
                self.ends.append(frame)
                waiting -= 1
            self.up += isinstance(frame, tuple) and frame[3] == b"up\n"

    async def stop(self, own: Socket, count: int) -> None:
        """End them from inside their sandboxes and wait for every end."""
        for box in self._boxes:
            await sockets.run_to_end(own, box, "pkill -TERM -x sleep")
        async with asyncio.TaskGroup() as group:
            for number, link in enumerate(self._links):
                share = len(range(number, count, len(self._links)))
                group.create_task(self._collect(link, share))

    async def _collect(self, link: Socket, count: int) -> None:
        with suppress(TimeoutError):
            for _ in range(count):
                self.ends.append(await link.until("end", 60))


async def measure(report: Report, quick: bool) -> None:
    """Idle, with the crowd, and whether every command of it came to its own end."""
    report.begin("many")
    count = 40 if quick else COMMANDS
    with portals.running() as portal:
        limits = {"processes": 2048, "memory_mb": 8192}
        own_box, *boxes = portal.sandboxes(SANDBOXES + 1, **limits)
        async with AsyncExitStack() as stack:
            own = await stack.enter_async_context(portal.socket())
            links = [
                await stack.enter_async_context(portal.socket())
                for _ in range(-(-count // PER_SOCKET))
            ]
            once = {"one": lambda: portal_once(own, own_box, report)}
            rounds = (1, 10) if quick else (3, 40)
            idle = exits((await interleaved(once, *rounds))["one"])
            before = portal.rss()
            crowd = Crowd(links, boxes)
            seconds = await crowd.start(count)
            await asyncio.sleep(SETTLE)
            after = portal.rss()
            report.check(f"{count} run at once", crowd.up == count, f"{crowd.up}: {crowd.ends[:1]}")
            report.add(f"{count} started and their output seen", f"{seconds:.1f} s, "
                       f"{count / seconds:.0f} per s", seconds=seconds)  # fmt: skip
            for name in ("worker", "web", "redis"):
                _memory(report, name, before, after, count)
            busy = exits((await interleaved(once, *rounds))["one"])
            _compare(report, idle, busy, count)
            began = time.monotonic()
            await crowd.stop(own, count)
            seconds = time.monotonic() - began
        ended = sum(end.get("state") == "exited" and end["signal"] == 15 for end in crowd.ends)
        report.check("all ended by SIGTERM", ended == count, f"{ended}: {crowd.ends[:1]}")
        report.add("all ended, ends seen", f"{seconds:.1f} s", seconds=seconds)


def _memory(
    report: Report, name: str, before: dict[str, float], after: dict[str, float], count: int
) -> None:
    if name not in after:
        return
    each = (after[name] - before[name]) / count * 1024
    text = f"{before[name]:.0f} → {after[name]:.0f} MiB, {each:.0f} KiB each"
    report.add(f"memory of {name}, idle → {count} commands", text,
               before_mib=before[name], after_mib=after[name])  # fmt: skip


def _compare(report: Report, idle: list, busy: list, count: int) -> None:
    for what, times in (("idle", idle), (f"beside {count} others", busy)):
        p50, p95 = p50_p95(times)
        report.add(f"a short command {what}, p50 / p95", f"{p50:.1f} / {p95:.1f} ms",
                   p50_ms=p50, p95_ms=p95)  # fmt: skip
    ratio = p50_p95(busy)[1] / p50_p95(idle)[1]
    middle = statistics.median(map(statistics.median, busy)) / statistics.median(
        map(statistics.median, idle)
    )
    report.add("busy / idle (p50)", f"{middle:.2f} x", ratio=middle)
    report.aim("busy / idle (p95)", f"{ratio:.2f} x", ratio < AIM, "< 2 x", ratio=ratio)
