"""``python -m gcportal.launcher``."""

from __future__ import annotations

import asyncio
import signal
import sys

from .config import LaunchConfig, read_config
from .console import Console
from .errors import StartError
from .portal import Portal
from .preflight import check_port, make_data_dir, take_lock

# A terminal or `make` may send the same request twice at once.
ECHO_SECONDS = 1.0


def listen_for_stop(asked: asyncio.Event, hurry: asyncio.Event) -> None:
    """The first signal sets ``asked``, one that comes later than an echo sets ``hurry``."""
    loop = asyncio.get_running_loop()
    first = 0.0

    def stop() -> None:
        nonlocal first
        if not asked.is_set():
            first = loop.time()
            asked.set()
        elif loop.time() - first >= ECHO_SECONDS:
            hurry.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)


async def serve(config: LaunchConfig, console: Console) -> int:
    """Run until asked to stop. Returns the exit code.

    Raises:
        StartError: a step failed; everything that ran has been stopped again.
    """
    asked, hurry = asyncio.Event(), asyncio.Event()
    listen_for_stop(asked, hurry)
    portal = Portal(config, console)
    starting = asyncio.create_task(portal.start())
    asking = asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({starting, asking}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
        await asking
    finally:
        starting.cancel()
        await asyncio.wait({starting})
        await portal.stop(hurry)
    return 0


def launch(console: Console) -> int:
    """Check, then serve. Returns the exit code."""
    try:
        config = read_config()
        make_data_dir(config)
        lock = take_lock(config.run_dir / "launcher.lock")
        with lock:
            check_port(config.host, config.port)
            return asyncio.run(serve(config, console))
    except StartError as error:
        console.say(f"The portal can't start: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return 0


def main() -> int:
    """Start the portal, and stop it when asked to."""
    console = Console(sys.stdout)
    try:
        return launch(console)
    finally:
        console.close()


if __name__ == "__main__":
    sys.exit(main())
