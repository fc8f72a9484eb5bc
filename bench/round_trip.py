"""Command round trip over the socket: send, output seen, exit seen; beside the bare pipeline."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack

import websockets

from tests.support.client import Socket

from . import portals, stages
from .bare import processes as bare
from .report import Report, p50_p95

ROUNDS, COMMANDS, WARM = 5, 40, 10
AIM = 1.5
LINE = "echo hi"
Once = Callable[[], Awaitable[stages.Seen]]


async def portal_once(socket: Socket, sandbox: str, report: Report) -> stages.Seen:
    """Run the line in a sandbox and wait for its end."""
    sent, output = time.monotonic(), 0.0
    await socket.say("run", sandbox=sandbox, command=LINE)
    while True:
        frame = await socket.next()
        now = time.monotonic()
        if isinstance(frame, tuple):
            report.check("output of echo hi", frame[2:] == (0, b"hi\n"), repr(frame))
            output = now
        elif frame["op"] == "end":
            ended = (frame["state"], frame["exit_code"], frame["stdout_bytes"])
            report.check("end of echo hi", ended == ("exited", 0, 3) and output > 0, repr(frame))
            return stages.Seen(sent, output or now, now)
        elif frame["op"] == "error":
            raise AssertionError(frame)


async def bare_once(socket: websockets.ClientConnection, report: Report) -> stages.Seen:
    """The same line through the bare pipeline."""
    sent, output = time.monotonic(), 0.0
    await socket.send(json.dumps({"command": LINE}))
    while True:
        frame = await socket.recv()
        now = time.monotonic()
        if isinstance(frame, bytes):
            report.check("bare output", frame == b"hi\n", repr(frame))
            output = now
        else:
            report.check("bare exit code", json.loads(frame)["exit_code"] == 0, frame)
            return stages.Seen(sent, output, now)


async def interleaved(
    variants: dict[str, Once], rounds: int, commands: int
) -> dict[str, list[list[stages.Seen]]]:
    """Every variant once in turn, so that all of them see the same machine."""
    for once in variants.values():
        for _ in range(WARM):
            await once()
    found: dict[str, list[list[stages.Seen]]] = {name: [] for name in variants}
    for _ in range(rounds):
        for of_round in found.values():
            of_round.append([])
        for _ in range(commands):
            for name, once in variants.items():
                found[name][-1].append(await once())
    return found


def exits(rounds: list[list[stages.Seen]]) -> list[list[float]]:
    """Milliseconds from sending to the end."""
    return [[(seen.end - seen.sent) * 1000 for seen in of_round] for of_round in rounds]


def outputs(rounds: list[list[stages.Seen]]) -> list[list[float]]:
    """Milliseconds from sending to the first output."""
    return [[(seen.output - seen.sent) * 1000 for seen in of_round] for of_round in rounds]


def ratio(rounds: list[list[float]], base: list[list[float]]) -> float:
    """Median over the rounds of the ratio of their p50."""
    pairs = zip(rounds, base, strict=True)
    return statistics.median(statistics.median(a) / statistics.median(b) for a, b in pairs)


def add_variant(report: Report, name: str, rounds: list[list[stages.Seen]]) -> None:
    """Rows of one variant: to its output, to its exit."""
    for what, times in (("output", outputs(rounds)), ("exit", exits(rounds))):
        p50, p95 = p50_p95(times)
        report.add(f"{name}: send → {what} seen, p50 / p95", f"{p50:.1f} / {p95:.1f} ms",
                   p50_ms=p50, p95_ms=p95)  # fmt: skip


async def measure(report: Report, quick: bool) -> None:
    """Portal and bare pipeline in turn, then one traced portal for the stages."""
    report.begin("round_trip")
    rounds, commands = (2, 8) if quick else (ROUNDS, COMMANDS)
    with ExitStack() as stack:
        portal = stack.enter_context(portals.running())
        address = stack.enter_context(bare.running())
        (sandbox,) = portal.sandboxes()
        async with AsyncExitStack() as sockets:
            own = await sockets.enter_async_context(portal.socket())
            link = await sockets.enter_async_context(
                websockets.connect(address.replace("http", "ws") + "/ws/", compression=None)
            )
            cpu = portal.cpu()
            found = await interleaved(
                {
                    "bare": lambda: bare_once(link, report),
                    "portal": lambda: portal_once(own, sandbox, report),
                },
                rounds,
                commands,
            )
            used = {name: value - cpu[name] for name, value in portal.cpu().items()}
    _add(report, found, used, WARM + rounds * commands)
    if not quick:
        await _stages(report, 120)


def _add(
    report: Report,
    found: dict[str, list[list[stages.Seen]]],
    used: dict[str, float],
    commands: int,
) -> None:
    for name, rounds in found.items():
        add_variant(report, name, rounds)
    of_exit = ratio(exits(found["portal"]), exits(found["bare"]))
    of_output = ratio(outputs(found["portal"]), outputs(found["bare"]))
    report.aim("portal / bare, to the exit (p50)", f"{of_exit:.2f} x", of_exit <= AIM, "≤ 1.5 x",
               ratio=of_exit)  # fmt: skip
    report.add("portal / bare, to the output (p50)", f"{of_output:.2f} x", ratio=of_output)
    for name in ("web", "worker", "redis"):
        if name in used:
            each = used[name] / commands * 1000
            report.add(f"CPU of {name} per command, beats included", f"{each:.1f} ms", cpu_ms=each)


async def _stages(report: Report, commands: int) -> None:
    with portals.folder() as path:
        stamps = path / "stamps"
        environment = {
            "DJANGO_SETTINGS_MODULE": "bench.trace.settings",
            "BENCH_TRACE": str(stamps),
        }
        with portals.running(**environment) as portal:
            (sandbox,) = portal.sandboxes()
            async with portal.socket() as socket:
                once = {"traced": lambda: portal_once(socket, sandbox, report)}
                seen = (await interleaved(once, 1, commands))["traced"][0]
            ordered = stages.read(stamps)
    of_commands = [stages.of_command(ordered, one) for one in seen]
    report.begin("round_trip: stages (a traced portal, medians)")
    for what, value in (
        *stages.medians(stages.TO_OUTPUT, of_commands),
        *stages.medians(stages.TO_EXIT, of_commands),
        *stages.medians(stages.BESIDE, of_commands),
    ):
        report.add(what, f"{value:.2f} ms", ms=value)
    for process in ("web", "worker"):
        count = stages.statements(ordered, seen, process)
        report.add(f"SQL statements of {process} meanwhile", f"{count:.0f}", count=count)
