"""Starting a holder. Blocking: called in a thread.

Everything outside the sandbox is made ready first (folders, limits, network); the holder waits
for its boot document and gets it last. A worker that dies half-way closes that pipe, and the
holder goes: nothing half-made stays.
"""

from __future__ import annotations

import compileall
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from providers.contract import (
    ConfigurationError,
    IsolationUnavailable,
    ProviderTimeout,
    SandboxGone,
)

from . import bubblewrap, cgroups, network, users
from .config import LocalConfig
from .settings import LocalSettings
from .state import StateDir

START_SECONDS = 20.0
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
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

    def run(self) -> None:
        """Start, wait until the holder answers, and note who it is."""
        self._prepare_files()
        with ExitStack() as stack:
            server = stack.enter_context(self.state.bind_socket())
            runs_fd = self.state.open("runs")
            stack.callback(os.close, runs_fd)
            boot = Pipe(stack)
            ready = Pipe(stack)
            alive = Pipe(stack)  # held open by the holder: what ends with it watches this end
            keep = [server.fileno(), runs_fd, self.lock_fd]
            keep += [boot.reader.fileno(), ready.writer.fileno(), alive.writer.fileno()]
            if self.settings.limits_mechanism == "auto" and self.isolated:
                self.group = cgroups.create(self.state.sandbox_id, self.config)
            cpu_file = self.group.cpu_file() if self.group else None
            cpu = stack.enter_context(cpu_file.open("rb", 0)) if cpu_file else None
            if cpu:
                keep.append(cpu.fileno())
            process, pid = self._spawn(stack, boot.reader.fileno(), keep)
            try:
                boot.reader.close()
                ready.writer.close()
                alive.writer.close()
                if self.group:
                    self.group.add(pid)
                if self.config.network and self.isolated:
                    network.connect(pid, alive.reader.fileno(), self.settings)
                document = self._boot(keep, cpu.fileno() if cpu else None)
                boot.writer.write(json.dumps(document).encode())
                boot.writer.close()
                self._await(ready.reader.fileno())
            except BaseException:
                self._undo(process, pid)
                raise
        self._note(pid)
        with _started_lock:
            _started.append(process)

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
        self, stack: ExitStack, boot_fd: int, keep: list[int]
    ) -> tuple[subprocess.Popen[bytes], int]:
        """Start the holder detached from this process; returns it and the holder's pid."""
        log = stack.enter_context((self.state.path / "holder.log").open("ab", 0))
        info = Pipe(stack)
        environment: dict[str, str] = {}
        if self.isolated:
            program, mounts, environment = bubblewrap.interpreter()
            arguments = bubblewrap.command(
                bubblewrap.find(self.settings)[0],
                self.state.path,
                self.hostname,
                self.config.memory_mb,
                info.writer.fileno(),
                self.as_root,
            )
            arguments = bubblewrap.finish([*arguments, *mounts])
            arguments += bubblewrap.holder_command(program, bubblewrap.CODE, boot_fd)
        else:
            code = str(Path(__file__).parent)
            arguments = bubblewrap.holder_command(sys.executable, code, boot_fd)
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=environment,
            cwd="/",
            start_new_session=True,
            pass_fds=[*keep, info.writer.fileno()],
        )
        info.writer.close()
        return process, self._inner_pid(info.reader) if self.isolated else process.pid

    def _inner_pid(self, info: BinaryIO) -> int:
        """The holder's pid as the host sees it; end of file means bubblewrap gave up."""
        text = b""
        while b"}" not in text:
            if not select.select([info], [], [], START_SECONDS)[0]:
                break
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

    def _boot(self, keep: list[int], cpu_fd: int | None) -> dict[str, Any]:
        home = bubblewrap.HOME if self.isolated else str(self.state.path / "home")
        limits = self.config.model_dump()
        listen_fd, runs_fd, lock_fd, _, ready_fd, alive_fd = keep[:6]
        return {
            "listen_fd": listen_fd,
            "runs_fd": runs_fd,
            "lock_fd": lock_fd,
            "ready_fd": ready_fd,
            "keep_fds": [alive_fd],
            "cpu_fd": cpu_fd,
            "uid": self.uid,
            "gid": self.uid,
            "home": home,
            "limits": {
                name: limits[name] for name in ("memory_mb", "processes", "cpu_seconds", "disk_mb")
            },
            "kernel_limits": self._kernel_limits(),
            "environment": {
                "HOME": home,
                "PATH": PATH,
                "LANG": "C.UTF-8",
                "TERM": "xterm-256color",
                "USER": bubblewrap.USER,
                "LOGNAME": bubblewrap.USER,
                "SHELL": "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh",
                "TMPDIR": "/tmp",  # noqa: S108 - the sandbox's own
                **self.config.environment,
                **self.environment,
            },
        }

    def _kernel_limits(self) -> list[str]:
        """What the holder need not hold: by cgroup, or by the uid's or namespace's own count."""
        names = self.group.kernel_limits() if self.group else []
        if self.isolated and "processes" not in names:
            names.append("processes")
        return names

    def _await(self, ready_fd: int) -> None:
        if not select.select([ready_fd], [], [], START_SECONDS)[0]:
            raise ProviderTimeout("The sandbox did not start in time.")
        if not os.read(ready_fd, 1):
            kind = IsolationUnavailable if self.isolated else ConfigurationError
            raise kind(
                "The sandbox could not be started: " + _reason(self.state),
                detail=_log_tail(self.state),
            )

    def _note(self, pid: int) -> None:
        """Record for people and for ``shutdown``; nothing depends on it being there."""
        self.state.write(
            "holder.json",
            {
                "pid": pid,
                "start_ticks": start_ticks(pid),
                "boot_id": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
                "isolation": "bubblewrap" if self.isolated else "none",
                "uid": self.uid,
                "limits": self.facts(),
                "cgroups": [str(path) for path in self.group.folders.values()]
                if self.group
                else [],
            },
        )

    def facts(self) -> dict[str, str]:
        """Which mechanism holds each limit."""
        group = f"cgroup v{self.group.version}" if self.group else ""
        kernel = self.group.kernel_limits() if self.group else []
        fallback = "RLIMIT_NPROC" if self.isolated else "watchdog"
        return {
            "memory": group if "memory" in kernel else "watchdog",
            "processes": group if "processes" in kernel else fallback,
            "cpu_time": f"watchdog, {group} accounting"
            if self.group and self.group.cpu_file()
            else "watchdog",
            "disk": "RLIMIT_FSIZE per file, watchdog in all",
        }

    def _undo(self, process: subprocess.Popen[bytes], pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # our own child or its: it can't have been recycled yet
        process.kill()
        process.wait(5)
        if self.group:
            self.group.remove()


class Pipe:
    """A pipe whose ends are closed at most once, by us or by the stack."""

    def __init__(self, stack: ExitStack) -> None:
        reader, writer = os.pipe2(os.O_CLOEXEC)
        self.reader: BinaryIO = stack.enter_context(os.fdopen(reader, "rb", 0))
        self.writer: BinaryIO = stack.enter_context(os.fdopen(writer, "wb", 0))


def start_ticks(pid: int) -> int | None:
    """When a process started, in clock ticks since boot: tells a recycled pid apart."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return None


def _log_tail(state: StateDir) -> str:
    try:
        return (state.path / "holder.log").read_text(errors="replace")[-2000:]
    except OSError:
        return ""


def _reason(state: StateDir) -> str:
    """The last line that bubblewrap or the holder said."""
    lines = [line for line in _log_tail(state).splitlines() if line.strip()]
    return (lines[-1][:300] if lines else "it ended without a word") + "."
