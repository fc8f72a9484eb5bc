"""Control groups, version 2 or 1: memory, process count and CPU time of a sandbox.

They lie below ``<controller>/gcportal/`` at the top of the mounted hierarchy, or below the
worker's own group where only that is writable.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .config import LocalConfig

MIB = 1024 * 1024
PARENT = "gcportal"
CONTROLLERS = ("memory", "pids", "cpuacct")


@dataclass
class Group:
    """A sandbox's groups: one folder per controller (v2 has one for all)."""

    version: int
    folders: dict[str, Path] = field(default_factory=dict)

    def add(self, pid: int) -> None:
        """Move a process in; its children follow."""
        for folder in set(self.folders.values()):
            (folder / "cgroup.procs").write_text(str(pid))

    def cpu_file(self) -> Path | None:
        """Where the CPU time used can be read."""
        if "cpuacct" not in self.folders:
            return None
        return self.folders["cpuacct"] / ("cpu.stat" if self.version == 2 else "cpuacct.usage")

    def kernel_limits(self) -> list[str]:
        """Which of the holder's limits the kernel takes over."""
        names = {"memory": ["memory"], "pids": ["processes", "processes_cgroup"], "cpuacct": []}
        return [name for controller in self.folders for name in names[controller]]

    def remove(self) -> None:
        """Remove the folders once the last process is gone; waits a second at most."""
        remove([str(folder) for folder in self.folders.values()])


def remove(folders: list[str]) -> None:
    """Remove groups; what is still in use after a second stays."""
    deadline = time.monotonic() + 1.0
    for folder in folders:
        while os.path.isdir(folder):
            try:
                os.rmdir(folder)
            except OSError:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.01)


def create(sandbox_id: str, config: LocalConfig) -> Group | None:
    """Make the sandbox's groups with their limits, or ``None`` where the worker may not."""
    mounts, unified = _mounts()
    own = _own_paths()
    if unified is not None and {"memory", "pids"} <= _words(unified / "cgroup.controllers"):
        folder = _make_unified(unified, own.get("", "/"), sandbox_id)
        group = Group(2, dict.fromkeys(CONTROLLERS, folder)) if folder else None
    else:
        found = {
            name: folder
            for name in CONTROLLERS
            if name in mounts and (folder := _make(mounts[name], own.get(name, "/"), sandbox_id))
        }
        group = Group(1, found) if found else None
    if group is not None:
        _set_limits(group, config)
    return group


def kill_members(folders: list[str]) -> None:
    """Kill whatever is in a sandbox's groups: they are named after it, so it is the sandbox's."""
    for folder in folders:
        with suppress(OSError):
            for pid in Path(folder, "cgroup.procs").read_text().split():
                os.kill(int(pid), signal.SIGKILL)


def leftovers(sandbox_id: str) -> list[str]:
    """Folders of a sandbox whose records are lost."""
    mounts, unified = _mounts()
    roots = [*mounts.values(), *([unified] if unified else [])]
    return [str(root / PARENT / sandbox_id) for root in roots]


def _set_limits(group: Group, config: LocalConfig) -> None:
    """Write the limits; a controller that refuses is not counted as holding one."""
    memory = str(config.memory_mb * MIB)
    if folder := group.folders.get("memory"):
        name = "memory.max" if group.version == 2 else "memory.limit_in_bytes"
        if not _write(folder / name, memory):
            del group.folders["memory"]
        elif group.version == 2:
            _write(folder / "memory.swap.max", "0")
        # Without swap accounting in the kernel, not swapping is the next best.
        elif not _write(folder / "memory.memsw.limit_in_bytes", memory):
            _write(folder / "memory.swappiness", "0")
    processes = str(config.processes + 1)  # one is the holder
    if "pids" in group.folders and not _write(group.folders["pids"] / "pids.max", processes):
        del group.folders["pids"]


def _make(root: Path, own: str, sandbox_id: str) -> Path | None:
    for base in (root, root / own.lstrip("/")):
        folder = base / PARENT / sandbox_id
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder / "cgroup.procs", os.W_OK):
            return folder
    return None


def _make_unified(root: Path, own: str, sandbox_id: str) -> Path | None:
    for base in (root, root / own.lstrip("/")):
        parent = base / PARENT
        try:
            parent.mkdir(exist_ok=True)
            for level in (base, parent):
                if not {"memory", "pids"} <= _words(level / "cgroup.subtree_control"):
                    (level / "cgroup.subtree_control").write_text("+memory +pids")
            (parent / sandbox_id).mkdir(exist_ok=True)
        except OSError:
            continue
        if (parent / sandbox_id / "memory.max").exists():
            return parent / sandbox_id
    return None


def _mounts() -> tuple[dict[str, Path], Path | None]:
    """Mount points of v1 controllers by name, and of the unified hierarchy."""
    controllers: dict[str, Path] = {}
    unified = None
    for line in Path("/proc/mounts").read_text().splitlines():
        _, point, kind, options, *_ = line.split()
        if kind == "cgroup":
            controllers.update((o, Path(point)) for o in options.split(",") if o in CONTROLLERS)
        elif kind == "cgroup2":
            unified = Path(point)
    return controllers, unified


def _own_paths() -> dict[str, str]:
    paths: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        paths.update((name, path) for name in names.split(","))
    return paths


def _words(path: Path) -> set[str]:
    try:
        return set(path.read_text().split())
    except OSError:
        return set()


def _write(path: Path, text: str) -> bool:
    try:
        path.write_text(text)
    except OSError:
        return False
    return True
