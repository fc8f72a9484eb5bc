"""Keeps one process running: starts it again with back-off, passes its output on, stops it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from gcportal.environment import BASE_DIR

from .console import BoundedLog, Console, LineSplitter
from .services import Service

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
STABLE_SECONDS = 60.0
KILL_SECONDS = 5.0


async def spawn(command: Sequence[str], stdout: int, stderr: int) -> asyncio.subprocess.Process:
    """Start a process in its own session that dies with the launcher (see ``child.py``)."""
    wrapper = (sys.executable, "-I", "-S", str(Path(__file__).with_name("child.py")))
    return await asyncio.create_subprocess_exec(
        *wrapper,
        str(os.getpid()),
        *command,
        cwd=BASE_DIR,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        stdout=stdout,
        stderr=stderr,
    )


def back_off(failures: int) -> float:
    """Seconds to wait before start number ``failures + 1``."""
    return min(FIRST_DELAY_SECONDS * 2 ** (failures - 1), LONGEST_DELAY_SECONDS)


def ending(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name} (exit code {128 - code})"
    return f"was ended by signal {-code} (exit code {128 - code})"


class Output:
    """A process's output: its lines to the console with its name before them, and to its log."""

    def __init__(self, name: str, console: Console | None, log: BoundedLog) -> None:
        self._name, self._console, self._log = name, console, log

    @contextlib.contextmanager
    def pipe(self) -> Iterator[int]:
        """The write end for one process. The read end closes itself when all writers are gone."""
        read, write = os.pipe()
        os.set_blocking(read, False)
        asyncio.get_running_loop().add_reader(read, self._readable, read, LineSplitter())
        try:
            yield write
        finally:
            os.close(write)

    def _readable(self, read: int, splitter: LineSplitter) -> None:
        try:
            data = os.read(read, 65536)
        except BlockingIOError:
            return
        if data:
            self._log.write(data)
        for line in splitter.feed(data):
            if self._console and line:
                self._console.say(f"{self._name:<6} | {line}")
        if not data:
            asyncio.get_running_loop().remove_reader(read)
            os.close(read)


class Supervised:
    """One service, kept running from ``start()`` to ``stop()``."""

    def __init__(self, service: Service, console: Console, logs_dir: Path) -> None:
        self.name = service.name
        self.log = BoundedLog(logs_dir / f"{service.name}.log")
        self.failures = 0
        self._command = service.command
        self._console = console
        self._output = Output(service.name, console if service.to_console else None, self.log)
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; returns at once."""
        self._task = asyncio.create_task(self._keep_running())

    async def stop(self, grace: float, hurry: asyncio.Event) -> None:
        """SIGTERM, then SIGKILL after ``grace`` seconds or as soon as ``hurry`` is set."""
        self._stopping.set()
        if self._task is None:
            return
        self._signal(signal.SIGTERM)
        hurried = asyncio.create_task(hurry.wait())
        await asyncio.wait(
            {self._task, hurried}, timeout=grace, return_when=asyncio.FIRST_COMPLETED
        )
        hurried.cancel()
        if not self._task.done():
            self._console.say(f"{self.name} did not stop in time: killing it")
        self._signal(signal.SIGKILL)  # its process group: whatever it left behind as well
        await asyncio.wait({self._task}, timeout=KILL_SECONDS)

    async def _keep_running(self) -> None:
        while not self._stopping.is_set():
            started = time.monotonic()
            code = await self._run_once()
            if self._stopping.is_set():
                return
            if time.monotonic() - started >= STABLE_SECONDS:
                self.failures = 0
            self.failures += 1
            delay = back_off(self.failures)
            self._console.say(f"{self.name} {ending(code)}: starting it again in {delay:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)

    async def _run_once(self) -> int:
        with self._output.pipe() as pipe:
            self._process = await spawn(self._command, stdout=pipe, stderr=pipe)
        if self._stopping.is_set():
            self._signal(signal.SIGTERM)
        return await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if number == signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)
