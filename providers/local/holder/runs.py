"""The runs of a sandbox: started once, followed to their end, ended when asked."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

from .journal import Journal, StreamPump
from .loop import Loop, Timer
from .records import read_record, reserve_record, write_record
from .refusal import Refusal
from .requests import StartRequest
from .stdin import StdinFeeder

KILL_GRACE = 5.0
RECORD_RETRY = 0.5


class Run:
    """One command: its process, its streams, and why it ends."""

    def __init__(self, loop: Loop, run_id: str, dir_fd: int) -> None:
        self.run_id = run_id
        self.started_at = 0.0
        self.pid = 0
        self.over = False
        self.limit: str | None = None
        self.stdin: StdinFeeder | None = None
        self.recorded = False
        self._loop = loop
        self._dir_fd = dir_fd
        self._ending = "exited"
        self._deadline: Timer | None = None
        self._status = 0
        self._ended_at = 0.0
        self._streams: list[StreamPump] = []
        self._open_streams = 2
        self._on_recorded: Callable[[Run], None] = lambda run: None

    def begin(
        self,
        process: subprocess.Popen[bytes],
        journals: list[Journal],
        request: StartRequest,
        on_recorded: Callable[[Run], None],
    ) -> None:
        """Take over a started process."""
        self.started_at = time.time()
        self.pid = process.pid
        self._on_recorded = on_recorded
        # The Popen object must neither wait for the process nor close our descriptors.
        process.returncode = 0
        for pipe, journal in zip((process.stdout, process.stderr), journals, strict=True):
            assert pipe is not None
            self._streams.append(StreamPump(self._loop, _detach(pipe), journal))
        if process.stdin is not None:
            self.stdin = StdinFeeder(self._loop, _detach(process.stdin))
        if request.timeout is not None:
            self._deadline = self._loop.call_later(
                request.timeout, lambda: self.end("timed_out", KILL_GRACE)
            )

    def end(self, reason: str, grace: float) -> None:
        """SIGTERM to the process group now, SIGKILL after the grace; the first reason stays."""
        if self.over or self._has_exited():
            return
        if self._ending == "exited":
            self._ending = reason
        self.signal(signal.SIGTERM)
        self._loop.call_later(grace, self._kill_group)

    def signal(self, number: int) -> None:
        """Signal the process group; a run that is over is left alone."""
        if not self.over:
            _signal_group(self.pid, number)

    def mark(self, reason: str, limit: str | None = None) -> None:
        """Say why the run is about to end, where somebody else kills it."""
        if self._ending == "exited" and not self.over and not self._has_exited():
            self._ending = reason
            self.limit = limit

    def exited(self, status: int) -> None:
        """The main process was reaped: finish the streams, then record the end."""
        self.over = True
        self._status = status
        self._ended_at = time.time()
        if self._deadline is not None:
            self._deadline.cancel()
        if self.stdin is not None:
            self.stdin.close()
        for stream in self._streams:
            stream.finish(self._stream_finished)

    def abandon(self) -> None:
        """The sandbox ends: don't wait for a full disk any longer."""
        for stream in self._streams:
            stream.abandon()

    def _kill_group(self) -> None:
        # Also when the leader is gone: members that ignored SIGTERM belong to the run.
        _signal_group(self.pid, signal.SIGKILL)

    def _has_exited(self) -> bool:
        """Whether the process has ended, reaped or not: then its own end counts."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        try:
            return os.waitid(os.P_PID, self.pid, flags) is not None
        except ChildProcessError:
            return True

    def _stream_finished(self) -> None:
        self._open_streams -= 1
        if self._open_streams == 0:
            self._record()

    def _record(self) -> None:
        signalled = os.WIFSIGNALED(self._status)
        record = {
            "end": self._ending,
            "exit_code": None if signalled else os.WEXITSTATUS(self._status),
            "signal": os.WTERMSIG(self._status) if signalled else None,
            "started_at": self.started_at,
            "ended_at": self._ended_at,
            "stdout_bytes": self._streams[0].total,
            "stderr_bytes": self._streams[1].total,
            "limit": self.limit,
        }
        try:
            write_record(self._dir_fd, "exit.json", record)
        except FileNotFoundError:
            pass  # somebody removed the sandbox's folder
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            self._loop.call_later(RECORD_RETRY, self._record)
            return
        os.close(self._dir_fd)
        self.recorded = True
        self._on_recorded(self)


class Runs:
    """All runs of this holder's life, and the folders of earlier ones."""

    def __init__(self, loop: Loop, runs_fd: int, life: str) -> None:
        self._loop = loop
        self._runs_fd = runs_fd
        self._life = life
        self.active: dict[str, Run] = {}
        self._by_pid: dict[int, Run] = {}

    def start(
        self, request: StartRequest, spawn: Callable[[StartRequest], subprocess.Popen[bytes]]
    ) -> dict[str, Any]:
        """Start a run unless its id is known; answers what the start record holds."""
        dir_fd = self._new_folder(request.run_id)
        if dir_fd is None:
            return {"started": False, "started_at": self._known(request.run_id)}
        run = Run(self._loop, request.run_id, dir_fd)
        journals: list[Journal] = []
        try:
            self._open_journals(dir_fd, request.output_limit, journals)
            run.begin(spawn(request), journals, request, self._recorded)
        except BaseException:
            for journal in journals:
                journal.close()
            os.close(dir_fd)
            self._remove_folder(request.run_id)
            raise
        self.active[run.run_id] = self._by_pid[run.pid] = run
        record = {
            "pid": run.pid,
            "started_at": run.started_at,
            "limit": request.output_limit,
            "life": self._life,
        }
        write_record(dir_fd, "start.json", record)
        return {"started": True, "started_at": run.started_at}

    def get(self, run_id: str) -> Run | None:
        """A run that is going on, or ``None`` if it is over; ``Refusal`` when never started."""
        run = self.active.get(run_id)
        if run is None and not self._exists(run_id):
            raise Refusal("run_not_found", "The sandbox knows no such run.")
        return run

    def reaped(self, pid: int, status: int) -> None:
        """A child was reaped; most are somebody's orphans."""
        run = self._by_pid.pop(pid, None)
        if run is not None:
            run.exited(status)

    def _recorded(self, run: Run) -> None:
        self.active.pop(run.run_id, None)

    def _new_folder(self, run_id: str) -> int | None:
        """Make the run's folder: whoever makes it starts the run, nobody else ever does."""
        try:
            os.mkdir(run_id, 0o700, dir_fd=self._runs_fd)
        except FileExistsError:
            return None
        except OSError as error:
            raise _disk_refusal(error) from error
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(run_id, flags, dir_fd=self._runs_fd)
        except OSError as error:
            os.rmdir(run_id, dir_fd=self._runs_fd)
            raise _disk_refusal(error) from error

    def _open_journals(self, dir_fd: int, limit: int, journals: list[Journal]) -> None:
        try:
            reserve_record(dir_fd, "start.json")
            reserve_record(dir_fd, "exit.json")
            for stream in ("stdout", "stderr"):
                journals.append(Journal(dir_fd, stream, limit))
        except OSError as error:
            raise _disk_refusal(error) from error

    def _remove_folder(self, run_id: str) -> None:
        """Undo a start that was refused, so that it may be tried again."""
        fd = os.open(run_id, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._runs_fd)
        try:
            for name in os.listdir(fd):
                os.unlink(name, dir_fd=fd)
        finally:
            os.close(fd)
        os.rmdir(run_id, dir_fd=self._runs_fd)

    def _exists(self, run_id: str) -> bool:
        try:
            os.stat(run_id, dir_fd=self._runs_fd)
        except FileNotFoundError:
            return False
        return True

    def _known(self, run_id: str) -> float:
        if run_id in self.active:
            return self.active[run_id].started_at
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(run_id, flags, dir_fd=self._runs_fd)
        try:
            record = read_record(fd, "start.json") or {}
        finally:
            os.close(fd)
        return float(record.get("started_at", 0.0))


def _disk_refusal(error: OSError) -> Refusal:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refusal("disk_full", "The disk is full, so the command was not started.")
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return Refusal("process_limit", "The sandbox has too many commands running.")
    return Refusal("run_refused", f"The command's journal could not be made: {error.strerror}.")


def _detach(pipe: Any) -> int:
    """Take a descriptor out of a file object, so that only we close it."""
    fd = os.dup(pipe.fileno())
    pipe.close()
    os.set_inheritable(fd, False)
    return fd


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
