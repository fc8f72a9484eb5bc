"""Starting a holder. Blocking: called in a thread.

Everything outside the sandbox is made ready first (folders, limits, network); the holder waits
for its boot document and gets it last. A worker that dies half-way closes that pipe, and the
holder goes: nothing half-made stays.
"""

from __future__ import annotations

import compileall
import json
import os
import secrets
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

from providers.contract import (
    ConfigurationError,
    IsolationUnavailable,
    ProviderTimeout,
    SandboxGone,
)

from . import boot, bubblewrap, cgroups, network, users
from .config import LocalConfig
from .settings import LocalSettings
from .state import StateDir, start_ticks

START_SECONDS = 20.0
# Monitors of holders that this process started: kept so that their ends are collected.
_started: list[subprocess.Popen[bytes]] = []
_started_lock = threading.Lock()


@cache
def _compile_holder() -> None:
    """Compile the holder once: it can't do so itself, its own folder is read-only to it."""
    with suppress(OSError):
        compileall.compile_dir(Path(__file__).parent / "holder", quiet=2)


def collect() -> None:
    """Collect monitors that have ended."""
    with _started_lock:
        _started[:] = [process for process in _started if process.poll() is None]


def start_holder(state: StateDir, settings: LocalSettings) -> None:
    """Make sure a holder lives and answers. Raises typed errors with the reason."""
    _compile_holder()
    collect()
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        state.require_files()
        lock_fd = state.take_lock()
        if lock_fd is not None:
            try:
                Launch(state, settings, lock_fd).run()
            finally:
                os.close(lock_fd)
            return
        with suppress(SandboxGone):
            state.connect().close()
            return
        time.sleep(0.005)  # someone else is starting it at this moment
    raise ProviderTimeout("The sandbox did not start in time.", detail=_log_tail(state))


class Launch:
    """One attempt, with the lock taken."""

    def __init__(self, state: StateDir, settings: LocalSettings, lock_fd: int) -> None:
        self.state = state
        self.settings = settings
        self.lock_fd = lock_fd
        record = state.read("config.json") or {}
        try:
            self.config = LocalConfig.model_validate(record["config"])
        except (KeyError, ValueError) as error:
            raise ConfigurationError(
                "The sandbox's stored configuration can't be read.", detail=str(error)
            ) from error
        self.environment: dict[str, str] = record.get("environment", {})
        self.isolated = settings.isolation != "none"
        self.as_root = os.geteuid() == 0
        self.hostname = f"sandbox-{state.sandbox_id[:8]}"
        self.uid: int | None = None
        if self.isolated and self.as_root:
            self.uid = users.claim(settings, state.sandbox_id)
        self.group: cgroups.Group | None = None
        self.life = secrets.token_hex(8)

    def run(self) -> None:
        """Start, wait until the holder answers, and note who it is."""
        if self.config.network and self.isolated:
            network.require()
        self._prepare_files()
        with ExitStack() as stack:
            self._start(stack)

    def _start(self, stack: ExitStack) -> None:
        server = stack.enter_context(self.state.bind_socket())
        runs_fd = self.state.open("runs")
        stack.callback(os.close, runs_fd)
        log = stack.enter_context((self.state.path / "holder.log").open("ab", 0))
        document, info, ready = Pipe(stack), Pipe(stack), Pipe(stack)
        alive = Pipe(stack)  # the holder keeps one end: what must end with it watches the other
        cpu = self._make_group(stack)
        numbers = {
            "listen_fd": server.fileno(),
            "runs_fd": runs_fd,
            "lock_fd": self.lock_fd,
            "alive_fd": alive.writer.fileno(),
        }
        if cpu is not None:
            numbers["cpu_fd"] = cpu.fileno()
        keep = list(numbers.values())
        ends = (document.reader.fileno(), ready.writer.fileno(), info.writer.fileno())
        helpers = [self._spawn(log, *ends, keep)]
        pid = helpers[0].pid
        try:
            for end in (document.reader, info.writer, ready.writer, alive.writer):
                end.close()
            if self.isolated:
                pid = self._inner_pid(info.reader)
            # Until then bubblewrap is at work on the namespaces, and slirp4netns would race it.
            self._await(ready.reader.fileno())
            if self.group:
                self.group.add(pid)
            if self.config.network and self.isolated:
                helpers.append(network.connect(pid, alive.reader, log, self.settings))
            # Before the first run: followers tell lives of the sandbox apart by it.
            self._note(pid, [helper.pid for helper in helpers[1:]])
            # A holder that is gone already is noticed right below, with its reason.
            with suppress(BrokenPipeError):
                document.writer.write(json.dumps({**self._document(), **numbers}).encode())
            document.writer.close()
            self._await(ready.reader.fileno())
        except BaseException:
            self._undo(helpers, pid)
            raise
        with _started_lock:
            _started.extend(helpers)

    def _make_group(self, stack: ExitStack) -> IO[bytes] | None:
        """Make the control group if we may; returns the file that tells its CPU time."""
        if self.settings.limits_mechanism == "auto" and self.isolated:
            self.group = cgroups.create(self.state.sandbox_id, self.config)
        path = self.group.cpu_file() if self.group else None
        return stack.enter_context(path.open("rb", 0)) if path else None

    def _prepare_files(self) -> None:
        folder = self.state.path
        if self.uid is not None:
            for name in ("home", "runs"):
                if (folder / name).stat().st_uid != self.uid:
                    os.chown(folder / name, self.uid, self.uid)
        if self.isolated:
            uid = self.uid if self.uid is not None else bubblewrap.INNER_UID
            nameserver = network.NAMESERVER if self.config.network else None
            bubblewrap.write_etc(folder / "etc", self.hostname, uid, nameserver)

    def _spawn(
        self, log: IO[bytes], boot_fd: int, ready_fd: int, info_fd: int, keep: list[int]
    ) -> subprocess.Popen[bytes]:
        """Start the holder, detached from this process: it must outlive us and our group."""
        environment: dict[str, str] = {}
        if self.isolated:
            binary, _ = bubblewrap.find(self.settings)
            program, mounts, environment = bubblewrap.interpreter()
            arguments = bubblewrap.command(
                binary,
                self.state.path,
                self.hostname,
                self.config.memory_mb,
                info_fd,
                self.as_root,
            )
            arguments = bubblewrap.finish([*arguments, *mounts])
            arguments += bubblewrap.holder_command(program, bubblewrap.CODE, boot_fd, ready_fd)
        else:
            code = str(Path(__file__).parent)
            arguments = bubblewrap.holder_command(sys.executable, code, boot_fd, ready_fd)
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=environment,
            cwd="/",
            start_new_session=True,
            pass_fds=[*keep, boot_fd, ready_fd, info_fd],
        )

    def _inner_pid(self, info: IO[bytes]) -> int:
        """The holder's pid as the host sees it; end of file means bubblewrap gave up."""
        text = b""
        while b"}" not in text and select.select([info], [], [], START_SECONDS)[0]:
            part = info.read(4096)
            if not part:
                break
            text += part
        try:
            return int(json.loads(text)["child-pid"])
        except (ValueError, KeyError):
            raise IsolationUnavailable(
                "This host can't isolate sandboxes: " + _reason(self.state),
                detail=_log_tail(self.state),
            ) from None

    def _document(self) -> dict[str, Any]:
        home = bubblewrap.HOME if self.isolated else str(self.state.path / "home")
        return {
            "life": self.life,
            "uid": self.uid,
            "gid": self.uid,
            "home": home,
            "limits": boot.limits(self.config),
            "kernel_limits": boot.kernel_limits(self.group, self.isolated),
            "environment": boot.environment(home, self.config, self.environment),
        }

    def _await(self, ready_fd: int) -> None:
        if not select.select([ready_fd], [], [], START_SECONDS)[0]:
            raise ProviderTimeout("The sandbox did not start in time.")
        if not os.read(ready_fd, 1):
            kind = IsolationUnavailable if self.isolated else ConfigurationError
            raise kind(
                "The sandbox could not be started: " + _reason(self.state),
                detail=_log_tail(self.state),
            )

    def _note(self, pid: int, helpers: list[int]) -> None:
        """Record who holds the sandbox."""
        self.state.write(
            "holder.json",
            {
                "pid": pid,
                "helpers": helpers,
                "life": self.life,
                "start_ticks": start_ticks(pid),
                "boot_id": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
                "isolation": "bubblewrap" if self.isolated else "none",
                "uid": self.uid,
                "limits": boot.limit_facts(self.group, self.isolated),
                "cgroups": [str(path) for path in self.group.folders.values()]
                if self.group
                else [],
            },
            durable=False,
        )

    def _undo(self, helpers: list[subprocess.Popen[bytes]], pid: int) -> None:
        """End what this attempt started; none of it has been waited for, so pids are still ours."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        for process in helpers:
            process.kill()
            process.wait(5)
        if self.group:
            self.group.remove()


class Pipe:
    """A pipe whose ends are closed at most once, by us or by the stack."""

    def __init__(self, stack: ExitStack) -> None:
        reader, writer = os.pipe2(os.O_CLOEXEC)
        self.reader: IO[bytes] = stack.enter_context(os.fdopen(reader, "rb", 0))
        self.writer: IO[bytes] = stack.enter_context(os.fdopen(writer, "wb", 0))


def _log_tail(state: StateDir) -> str:
    try:
        return (state.path / "holder.log").read_text(errors="replace")[-2000:]
    except OSError:
        return ""


def _reason(state: StateDir) -> str:
    """The last line that bubblewrap or the holder said."""
    lines = [line for line in _log_tail(state).splitlines() if line.strip()]
    return (lines[-1][:300] if lines else "it ended without a word") + "."
