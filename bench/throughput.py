"""One command's output to 1, 10 and 100 sockets, and beside a socket that never reads."""

from __future__ import annotations

import statistics
import subprocess
import time

from . import portals, sockets
from .report import Report

MIB = 1024 * 1024
# (sockets, MiB of output): about the same number of bytes in all for 10 and 100
SIZES = ((1, 32), (10, 32), (100, 8))
QUICK = ((1, 4), (5, 4))
ROUNDS = 3
LIMIT_MIB = 64
STALL_LIMIT_MIB = 16.0
SECONDS = 120


def expected(size: int) -> memoryview:
    """What ``line`` prints: numbers, no two pieces alike."""
    command = ["sh", "-c", f"seq 1 100000000 | head -c {size}"]
    return memoryview(subprocess.run(command, capture_output=True, check=True).stdout)


def line(size: int, go: str) -> str:
    """A command line that waits for a file and then prints so many bytes."""
    return f"until [ -e {go} ]; do sleep 0.01; done; seq 1 100000000 | head -c {size}"


class Hall:
    """One portal, its sandbox, and how often something ran in it."""

    def __init__(self, measured: portals.Measured) -> None:
        self.measured = measured
        (self.sandbox,) = measured.sandboxes(disk_mb=16384)
        self._runs = 0

    async def run(self, count: int, data: memoryview, stalled: int = 0) -> Run:
        """Let so many sockets follow one command; all of them are there before its first byte."""
        self._runs += 1
        go = f"go-{self._runs}"
        portal, token = self.measured.portal, self.measured.token
        receivers = [sockets.Receiver(portal.url, token, data) for _ in range(count)]
        idle = [sockets.Stalled(portal.url, token) for _ in range(stalled)]
        async with self.measured.socket() as socket:
            command = await sockets.run(socket, self.sandbox, line(len(data), go))
            await socket.say("unfollow", command=command)
            for receiver in receivers:
                await receiver.open()
                await receiver.follow(command)
            for one in idle:
                await one.open(command)
            before = self.measured.rss()
            started = time.monotonic()
            await sockets.run(socket, self.sandbox, f"touch {go}")
            await sockets.receive_all(receivers, SECONDS)
            seconds = max(r.ended_at for r in receivers) - started
            grown = {name: mib - before[name] for name, mib in self.measured.rss().items()}
            for receiver in receivers:
                await receiver.close()
            for one in idle:
                one.abort()
        return Run(receivers, seconds, grown)


class Run:
    """What came of it."""

    def __init__(
        self, receivers: list[sockets.Receiver], seconds: float, grown: dict[str, float]
    ) -> None:
        self.seconds = seconds
        self.grown = grown
        self.received = sum(r.received for r in receivers)
        self.skipped = sum(r.skipped for r in receivers)
        self.wrong = next((r.wrong for r in receivers if r.wrong), "")

    @property
    def rate(self) -> float:
        """MiB/s over all sockets."""
        return self.received / MIB / self.seconds


async def compare(report: Report, halls: dict[str, Hall], quick: bool) -> None:
    """Each size under each server in turn."""
    for count, mib in QUICK if quick else SIZES:
        data = expected(mib * MIB)
        found: dict[str, list[Run]] = {name: [] for name in halls}
        for _ in range(1 if quick else ROUNDS):
            for name, hall in halls.items():
                found[name].append(await hall.run(count, data))
        for name, runs in found.items():
            _add(report, f"{name}: {mib} MiB to {count} sockets", runs)


def _add(report: Report, what: str, runs: list[Run]) -> None:
    for run in runs:
        report.check(f"{what}: bytes", not run.wrong, run.wrong)
    rate = statistics.median(run.rate for run in runs)
    seconds = statistics.median(run.seconds for run in runs)
    skipped = statistics.median(run.skipped / (run.received + run.skipped) for run in runs)
    lost = f", {skipped:.0%} given up as gap" if skipped else ""
    report.add(what, f"{rate:.0f} MiB/s in all, {seconds:.2f} s{lost}", mib_per_s=rate,
               seconds=seconds, skipped=skipped)  # fmt: skip


async def beyond_limit(report: Report, hall: Hall, quick: bool) -> None:
    """Twice the kept limit: head and tail arrive, the middle is live or counted."""
    mib = LIMIT_MIB * (1 if quick else 2)
    run = await hall.run(1, expected(mib * MIB))
    _add(report, f"{mib} MiB (kept: {LIMIT_MIB}) to 1 socket", [run])


async def stalled(report: Report, hall: Hall, quick: bool, prefix: str = "") -> None:
    """Memory with and without a socket that never reads; warmed up by the runs before."""
    data = expected((4 if quick else 48) * MIB)
    without: list[Run] = []
    with_: list[Run] = []
    for _ in range(1 if quick else ROUNDS):
        without.append(await hall.run(2, data))
        with_.append(await hall.run(2, data, stalled=1))
    for name in without[0].grown:
        alone = statistics.median(run.grown[name] for run in without)
        beside = statistics.median(run.grown[name] for run in with_)
        report.aim(
            f"{prefix}a stalled socket: {name} grows, without / with",
            f"{alone:+.1f} / {beside:+.1f} MiB",
            beside - alone <= STALL_LIMIT_MIB,
            "≤ 16 MiB more",
            without_mib=alone,
            with_mib=beside,
        )
    mib = len(data) // MIB
    _add(report, f"{prefix}{mib} MiB to 2 sockets, none stalled", without)
    _add(report, f"{prefix}{mib} MiB to 2 sockets beside a stalled one", with_)


async def measure(report: Report, quick: bool) -> None:
    """Sizes, limit, stalled socket."""
    report.begin("throughput")
    with portals.running() as measured:
        hall = Hall(measured)
        await compare(report, {"daphne": hall}, quick)
        await beyond_limit(report, hall, quick)
        await stalled(report, hall, quick)
