"""What a holder is told at its start: limits, who holds them, and the commands' environment."""

from __future__ import annotations

import os

from . import bubblewrap
from .cgroups import Group
from .config import LocalConfig

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def limits(config: LocalConfig) -> dict[str, int]:
    """The limits that the holder knows of."""
    return {
        "memory_mb": config.memory_mb,
        "processes": config.processes,
        "cpu_seconds": config.cpu_seconds,
        "disk_mb": config.disk_mb,
    }


def kernel_limits(group: Group | None, isolated: bool) -> list[str]:
    """What the holder need not hold: by cgroup, or by the count of the sandbox's own uid."""
    names = group.kernel_limits() if group else []
    if isolated and "processes" not in names:
        names.append("processes")
    return names


def limit_facts(group: Group | None, isolated: bool) -> dict[str, str]:
    """Which mechanism holds each limit, in words."""
    name = f"cgroup v{group.version}" if group else ""
    held = group.kernel_limits() if group else []
    return {
        "memory": name if "memory" in held else "watchdog",
        "processes": name if "processes" in held else "RLIMIT_NPROC" if isolated else "watchdog",
        "cpu_time": f"watchdog, {name} accounting" if group and group.cpu_file() else "watchdog",
        "disk": "RLIMIT_FSIZE per file, watchdog in all",
    }


def environment(home: str, config: LocalConfig, extra: dict[str, str]) -> dict[str, str]:
    """What every command of the sandbox sees, and nothing of the worker's own."""
    return {
        "HOME": home,
        "PATH": PATH,
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "USER": bubblewrap.USER,
        "LOGNAME": bubblewrap.USER,
        "SHELL": "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh",
        "TMPDIR": "/tmp",  # noqa: S108 - the sandbox's own
        **config.environment,
        **extra,
    }
