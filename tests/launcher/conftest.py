"""A launcher of real processes, in a copy of the project and a data folder of its own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.portal import ROOT, free_port, wait_until

COPIED = ("gcportal", "accounts", "providers", "sandboxes", "templates", "static/dist")
START_SECONDS = 60.0
STOP_SECONDS = 30.0


class Launcher:
    """``python -m gcportal.launcher`` in a checkout, its output in a file."""

    def __init__(self, checkout: Path, data: Path, **environment: str) -> None:
        self.checkout, self.data = checkout, data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = data.parent / f"{data.name}.out"
        # nothing of this process's settings: what an operator's shell has, and no more
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        given = {"GCPORTAL_DATA_DIR": str(data), "PORT": str(self.port), **environment}
        self.env = kept | given
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, ready: bool = True) -> Launcher:
        """Start it, and wait until it has printed its address."""
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gcportal.launcher"],
                cwd=self.checkout,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if ready:
            wait_until(self._ready_or_ended, START_SECONDS, "the launcher prints its address")
            assert "Ready after" in self.text, self.text
        return self

    def _ready_or_ended(self) -> bool:
        assert self.process is not None
        return "Ready after" in self.text or self.process.poll() is not None

    def run(self) -> tuple[int, list[str]]:
        """Start it where it must refuse: exit code and lines."""
        self.start(ready=False)
        return self.ended(), self.text.splitlines()

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        assert self.process is not None
        return self.process.wait(STOP_SECONDS)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.ended()

    @property
    def text(self) -> str:
        """All it has printed."""
        return self.output.read_text(errors="replace")

    def said(self, pattern: str) -> re.Match[str] | None:
        """A line of its output that matches."""
        return re.search(pattern, self.text, re.MULTILINE)

    def processes(self) -> dict[int, str]:
        """Every process, of any parent, that was started for this data folder."""
        mark = f"GCPORTAL_DATA_DIR={self.data}".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if not entry.name.isdigit() or mark not in (entry / "environ").read_bytes():
                    continue
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if command:  # a zombie has none
                    found[int(entry.name)] = command.strip()
        return found

    def pid_of(self, part: str) -> int:
        """The one process whose command line holds this."""
        found = [pid for pid, command in self.processes().items() if part in command]
        assert len(found) == 1, self.processes()
        return found[0]

    def manage(self, *args: str) -> str:
        """Run ``manage.py`` for this installation."""
        command = [sys.executable, "manage.py", *args]
        done = subprocess.run(
            command, cwd=self.checkout, env=self.env, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def ready(self) -> bool:
        """``/readyz`` says yes."""
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        return False

    def clean_up(self) -> None:
        """Leave nothing behind, whatever the test did."""
        if self.process and self.process.poll() is None:
            self.stop()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, where a test may put a ``.env``."""
    folder = tmp_path_factory.mktemp("checkout") / "portal"
    folder.mkdir()
    for name in COPIED:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("manage.py", "requirements.txt"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def prepared(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """An installation that has been started and stopped once: later starts are quick."""
    launcher = Launcher(checkout, tmp_path_factory.mktemp("prepared") / "data")
    launcher.start()
    assert launcher.stop() == 0
    yield launcher
    launcher.clean_up()


@pytest.fixture
def portal(prepared: Launcher) -> Iterator[Launcher]:
    """That installation, running; every test leaves no process behind."""
    prepared.start()
    yield prepared
    if prepared.process and prepared.process.poll() is None:
        assert prepared.stop() == 0, prepared.text
    assert gone(prepared), prepared.processes()


@pytest.fixture
def fresh(checkout: Path, tmp_path: Path) -> Iterator[Launcher]:
    """An installation that never ran."""
    launcher = Launcher(checkout, tmp_path / "data")
    yield launcher
    launcher.clean_up()


def gone(launcher: Launcher, seconds: float = 5.0) -> bool:
    """No process of it is left, at the latest after so many seconds."""
    deadline = time.monotonic() + seconds
    while launcher.processes():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
