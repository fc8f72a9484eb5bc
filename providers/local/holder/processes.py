"""The sandbox's processes as /proc shows them: who is there, what they use, ending them all."""

from __future__ import annotations

import contextlib
import os
import resource
import signal

_TICKS = os.sysconf("SC_CLK_TCK")


def reap() -> list[tuple[int, int]]:
    """Collect every child that has ended: ``(pid, wait status)``."""
    ended: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.append((pid, status))


def any_children() -> bool:
    """Whether anything of the sandbox still exists, zombies included."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def stat_fields(pid: int) -> list[bytes]:
    """The fields of /proc/PID/stat from the state (index 0) on; empty when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return file.read(4096).rpartition(b") ")[2].split()
    except OSError:
        return []


def members() -> list[int]:
    """Every process of the sandbox except the holder."""
    me = os.getpid()
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    if me == 1:
        return [pid for pid in pids if pid != 1]
    parents = {pid: int(fields[1]) for pid in pids if (fields := stat_fields(pid))}
    found = {me}
    grew = True
    while grew:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found |= more
        grew = bool(more)
    return sorted(found - {me})


def signal_all(number: int) -> None:
    """Signal everything in the sandbox but the holder."""
    if os.getpid() == 1:
        # In a pid namespace of our own -1 is everybody else in it, without a race.
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, number)
        return
    for pid in members():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
    if number == signal.SIGKILL:
        for pid in members():  # those that were forked meanwhile
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


def cpu_seconds() -> float:
    """CPU time of everything that ran in the sandbox: reaped children, and the living."""
    reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = 0
    for pid in members():
        if fields := stat_fields(pid):
            ticks += sum(int(field) for field in fields[11:15])
    return reaped.ru_utime + reaped.ru_stime + ticks / _TICKS


def memory_by_process() -> dict[int, int]:
    """Anonymous memory of each process in bytes, and the largest shared memory under key 0."""
    usage = {0: 0}
    for pid in members():
        anonymous = shared = 0
        try:
            with open(f"/proc/{pid}/status", "rb", buffering=0) as file:
                for line in file.read(8192).splitlines():
                    if line.startswith((b"RssAnon:", b"VmSwap:")):
                        anonymous += int(line.split()[1]) * 1024
                    elif line.startswith(b"RssShmem:"):
                        shared = int(line.split()[1]) * 1024
        except OSError:
            continue
        usage[pid] = anonymous
        usage[0] = max(usage[0], shared)
    return usage
