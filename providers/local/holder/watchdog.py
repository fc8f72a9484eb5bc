"""Limits the kernel doesn't hold for us: CPU time, disk, and memory where there is no cgroup.

Ticks only while something runs; an idle sandbox costs nothing.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Callable
from typing import Any

from . import processes
from .disk import DiskWatch
from .loop import Loop, Timer
from .records import read_record, write_record
from .refusal import Refusal
from .spawn import ProcessLimits

TICK = 0.25
# Without a cgroup only quick looks keep a fast allocation near its limit.
MEMORY_TICK = 0.05
MIB = 1024 * 1024
SAVE_EVERY = 40


class Watchdog:
    """Watches the sandbox's use and ends what exceeds it."""

    def __init__(
        self,
        loop: Loop,
        boot: dict[str, Any],
        on_exceeded: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._limits: dict[str, int] = boot["limits"]
        self._runs_fd: int = boot["runs_fd"]
        self._cpu_fd: int | None = boot.get("cpu_fd")
        self._kernel: list[str] = boot["kernel_limits"]
        self._on_exceeded = on_exceeded
        self._timer: Timer | None = None
        self._ticks = 0
        self._disk_limit = self._limits["disk_mb"] * MIB
        self._over_disk = False
        saved = read_record(self._runs_fd, ".usage.json") or {}
        self._cpu_before = float(saved.get("cpu_seconds", 0.0))
        self._cpu_at_start = self._cpu_now()
        self._disk = DiskWatch(
            loop, boot["home"], self._runs_fd, self._disk_limit, self._disk_used, processes.members
        )
        if "processes" in self._kernel and "processes_cgroup" not in self._kernel:
            bound = self._limits["processes"] + 1
            resource.setrlimit(resource.RLIMIT_NPROC, (bound, bound))

    def wake(self) -> None:
        """Something runs now: watch until nothing does."""
        if self._timer is None:
            self._tick()

    def check_start(self) -> None:
        """Refuse a new run where a total is used up."""
        if self.cpu_used() >= self._limits["cpu_seconds"]:
            raise Refusal(
                "cpu_time_exhausted",
                f"The sandbox has used its {self._limits['cpu_seconds']} s of CPU time.",
            )
        unlimited = "processes" not in self._kernel
        if unlimited and len(processes.members()) >= self._limits["processes"]:
            raise Refusal("process_limit", "The sandbox's limit of processes is reached.")

    def process_limits(self) -> ProcessLimits:
        """What the next run carries. Over the disk limit it may delete, but not grow a file."""
        bound = None
        if "processes" in self._kernel and "processes_cgroup" not in self._kernel:
            bound = self._limits["processes"] + 1
        return ProcessLimits(bound, 0 if self._over_disk else self._disk_limit)

    def cpu_used(self) -> float:
        """Seconds of CPU time, over all lives of the sandbox."""
        return self._cpu_before + self._cpu_now() - self._cpu_at_start

    def facts(self) -> dict[str, Any]:
        """Current use, for whoever asks."""
        return {"cpu_seconds": round(self.cpu_used(), 3), "disk_bytes": self._disk.used}

    def save(self) -> None:
        """Keep the CPU time used for the sandbox's next life."""
        # A full disk or a removed folder: nothing to be done about it here.
        with contextlib.suppress(OSError):
            write_record(self._runs_fd, ".usage.json", {"cpu_seconds": self.cpu_used()})

    def run_ended(self) -> None:
        """A run may have freed space: look again soon if that matters."""
        if self._over_disk:
            self._disk.scan()

    def _tick(self) -> None:
        self._timer = None
        if not processes.any_children():
            self.save()
            return
        self._ticks += 1
        if self.cpu_used() >= self._limits["cpu_seconds"]:
            self._exceeded("cpu_time")
        if "memory" not in self._kernel:
            self._check_memory()
        if "processes" not in self._kernel:
            self._check_processes()
        if "memory" in self._kernel or self._ticks % round(TICK / MEMORY_TICK) == 0:
            self._disk.tick()
        if self._ticks % SAVE_EVERY == 0:
            self.save()
        interval = TICK if "memory" in self._kernel else MEMORY_TICK
        self._timer = self._loop.call_later(interval, self._tick)

    def _cpu_now(self) -> float:
        if self._cpu_fd is None:
            return processes.cpu_seconds()
        text = os.pread(self._cpu_fd, 256, 0)
        if text.startswith(b"usage_usec"):
            return int(text.split()[1]) / 1e6
        return int(text) / 1e9

    def _check_memory(self) -> None:
        limit = self._limits["memory_mb"] * MIB
        usage = processes.memory_by_process()
        files = 0
        for path in ("/tmp", "/dev/shm") if os.getpid() == 1 else ():  # noqa: S108 - our own
            info = os.statvfs(path)
            files += (info.f_blocks - info.f_bfree) * info.f_frsize
        shared = usage.pop(0)
        while usage and sum(usage.values()) + files + shared > limit:
            largest = max(usage, key=lambda pid: usage[pid])
            del usage[largest]
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(largest, signal.SIGKILL)

    def _check_processes(self) -> None:
        for pid in processes.members()[self._limits["processes"] :]:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def _disk_used(self, used: int) -> None:
        was_over, self._over_disk = self._over_disk, used > self._disk_limit
        if self._over_disk and not was_over:
            self._exceeded("disk")

    def _exceeded(self, limit: str) -> None:
        self._on_exceeded(limit)
