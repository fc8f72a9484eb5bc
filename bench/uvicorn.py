"""Round trip and throughput under both servers, side by side in one run."""

from __future__ import annotations

from contextlib import AsyncExitStack, ExitStack
from functools import partial

from . import portals, round_trip, throughput
from .report import Report

SERVERS = ("daphne", "uvicorn")
ROUNDS, COMMANDS = 3, 30


async def measure(report: Report, quick: bool) -> None:
    """The portal under daphne and under uvicorn (asyncio loop, no deflate)."""
    report.begin("uvicorn")
    with ExitStack() as stack:
        running = {name: stack.enter_context(portals.running(name)) for name in SERVERS}
        await _round_trip(report, running, quick)
        halls = {name: throughput.Hall(measured) for name, measured in running.items()}
        await throughput.compare(report, halls, quick)
        for name, hall in halls.items():
            await throughput.stalled(report, hall, quick, f"{name}: ")


async def _round_trip(report: Report, running: dict[str, portals.Measured], quick: bool) -> None:
    rounds, commands = (2, 8) if quick else (ROUNDS, COMMANDS)
    async with AsyncExitStack() as sockets:
        variants: dict[str, round_trip.Once] = {}
        for name, measured in running.items():
            (sandbox,) = measured.sandboxes()
            socket = await sockets.enter_async_context(measured.socket())
            variants[name] = partial(round_trip.portal_once, socket, sandbox, report)
        found = await round_trip.interleaved(variants, rounds, commands)
    for name, of_server in found.items():
        round_trip.add_variant(report, name, of_server)
    exits = {name: round_trip.exits(of_server) for name, of_server in found.items()}
    ratio = round_trip.ratio(exits["uvicorn"], exits["daphne"])
    report.add("uvicorn / daphne, to the exit (p50)", f"{ratio:.2f} x", ratio=ratio)
