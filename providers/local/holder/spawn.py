"""Starting one command: shell, environment, pipes, and the limits that a process carries."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from . import system
from .refusal import Refusal
from .requests import STRING_MAX, StartRequest, os_bytes

SHELL = next((path for path in ("/bin/bash", "/usr/bin/bash") if os.path.exists(path)), "/bin/sh")
# When memory runs out the kernel takes commands first, not the holder.
OOM_SCORE = 800


@dataclass(frozen=True)
class ProcessLimits:
    """What every process of the sandbox is held to by the kernel; ``None`` is no limit."""

    processes: int | None
    file_bytes: int | None


def start(
    request: StartRequest, home: str, base_environment: dict[str, str], limits: ProcessLimits
) -> subprocess.Popen[bytes]:
    """Start the command in its own session; raises ``Refusal``."""
    # Joining with an absolute path yields that path.
    cwd = os.path.join(home, request.working_dir) if request.working_dir else home
    if not os.path.isdir(cwd):
        raise Refusal("working_dir_missing", f"The working directory {cwd[:200]} does not exist.")
    arguments, script_fd = _arguments(request.command)
    try:
        process = _fork(arguments, request, cwd, base_environment, limits, script_fd)
    except (OSError, MemoryError) as error:
        raise _refusal(error, cwd) from error
    finally:
        if script_fd is not None:
            os.close(script_fd)
    _limit(process.pid, limits)
    return process


def _fork(
    arguments: list[str],
    request: StartRequest,
    cwd: str,
    base_environment: dict[str, str],
    limits: ProcessLimits,
    script_fd: int | None,
) -> subprocess.Popen[bytes]:
    with _inherited(limits):
        return subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE if request.stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=cwd,
            env={**base_environment, "PWD": cwd, **request.environment},
            start_new_session=True,
            pass_fds=() if script_fd is None else (script_fd,),
        )


def _arguments(command: str) -> tuple[list[str], int | None]:
    """The shell's arguments; a command too long for one argument is handed over as a file."""
    data = os_bytes(command)
    if len(data) < STRING_MAX:
        return [SHELL, "-c", command], None
    fd = os.memfd_create("command")
    os.write(fd, data)
    return [SHELL, "-c", f". /proc/self/fd/{fd}"], fd


def _refusal(error: BaseException, cwd: str) -> Refusal:
    code = getattr(error, "errno", None)
    if getattr(error, "filename", None) == cwd:
        return Refusal(
            "working_dir_missing", f"The working directory {cwd[:200]} can't be entered."
        )
    if code in (errno.EAGAIN, errno.ENOMEM) or isinstance(error, MemoryError):
        return Refusal("process_limit", "The sandbox's limit of processes or memory is reached.")
    if code == errno.E2BIG:
        return Refusal("environment_invalid", "The environment is too large.")
    if code in (errno.EMFILE, errno.ENFILE):
        return Refusal("process_limit", "The sandbox has too many commands running.")
    return Refusal("run_refused", f"The command could not be started: {error}.")


@contextmanager
def _inherited(limits: ProcessLimits) -> Iterator[None]:
    """Lend ourselves what the child must be born with; only ``fork`` happens meanwhile.

    A function between fork and exec would need a slow copy of our memory map instead, and
    setting it from outside comes too late for a quick command. The holder must not run out of
    a hard limit itself, so that one follows from outside.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    soft = limits.file_bytes
    if soft is not None and (hard == resource.RLIM_INFINITY or soft <= hard):
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    own_score = system.swap_oom_score(OOM_SCORE)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        system.swap_oom_score(own_score)


def _limit(pid: int, limits: ProcessLimits) -> None:
    """Set the hard limits from outside, so that the command can't lift the soft ones."""
    with suppress(OSError, ValueError):  # it has ended already, or the host's own is lower
        if limits.processes is not None:
            resource.prlimit(pid, resource.RLIMIT_NPROC, (limits.processes,) * 2)
        if limits.file_bytes is not None:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (limits.file_bytes,) * 2)
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
