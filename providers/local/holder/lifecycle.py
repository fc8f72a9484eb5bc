"""The holder as a whole: wires the parts, answers requests, and brings the sandbox down."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import Any

from . import processes, requests, spawn, system
from .loop import READ, Loop
from .refusal import Refusal
from .runs import Runs
from .server import BoundedLog, Server
from .watchdog import Watchdog

STOP_GRACE = 2.0
GIVE_UP = 3.0
FOLDER_CHECK = 2.0
GRACE_MAX = 3600.0


class Holder:
    """One sandbox's life, from boot to the end of its last process."""

    def __init__(self, boot: dict[str, Any]) -> None:
        # Each of these numbers must not reach a command: they are our way to the outside.
        for name in ("listen_fd", "runs_fd", "lock_fd", "alive_fd", "cpu_fd"):
            if boot.get(name) is not None:
                os.set_inheritable(boot[name], False)
        sys.stderr = BoundedLog(2)
        self._home: str = boot["home"]
        self._environment: dict[str, str] = boot["environment"]
        self._runs_fd: int = boot["runs_fd"]
        self._stopping = False
        self.loop = Loop()
        if os.getpid() != 1:
            system.set_subreaper()
        self._reap_on_sigchld()
        self.watchdog = Watchdog(self.loop, boot, self._exceeded)
        self.runs = Runs(self.loop, self._runs_fd, boot["life"])
        self.server = Server(
            self.loop,
            boot["listen_fd"],
            {
                "info": self._info,
                "start": self._start,
                "cancel": self._cancel,
                "signal": self._signal,
                "stdin": self._stdin,
                "stop": self._stop,
            },
        )

    def run(self) -> None:
        """Serve until stopped, then leave nothing behind."""
        self._check_folder()
        self.loop.run()
        self.watchdog.save()

    def _reap_on_sigchld(self) -> None:
        reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        # A handler must exist for the wake-up to happen; the work is done in the loop.
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._wakeup = reader
        self.loop.watch(reader, READ, self._reap)

    def _reap(self, _events: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wakeup, 4096)
        for pid, status in processes.reap():
            self.runs.reaped(pid, status)
        self.watchdog.run_ended()
        if self._stopping:
            self._finish_stop()

    def _info(self, _request: dict[str, Any]) -> dict[str, Any]:
        return {"runs": len(self.runs.active), **self.watchdog.facts()}

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        checked = requests.start(request)
        if self._stopping:
            raise Refusal("sandbox_gone", "The sandbox is being stopped.")
        answer = self.runs.start(checked, self._spawn)
        self.watchdog.wake()
        return answer

    def _spawn(self, request: requests.StartRequest) -> subprocess.Popen[bytes]:
        self.watchdog.check_start()
        limits = self.watchdog.process_limits()
        return spawn.start(request, self._home, self._environment, limits)

    def _cancel(self, request: dict[str, Any]) -> dict[str, Any]:
        grace = requests.number(request, "grace", 0.0, GRACE_MAX)
        run = self.runs.get(requests.run_id(request))
        if run is not None:
            run.end("cancelled", grace)
        return {}

    def _signal(self, request: dict[str, Any]) -> dict[str, Any]:
        number = int(requests.number(request, "signal", 1, signal.NSIG - 1))
        run = self.runs.get(requests.run_id(request))
        if run is not None:
            run.signal(number)
        return {}

    def _stdin(self, request: dict[str, Any]) -> dict[str, Any]:
        run = self.runs.get(requests.run_id(request))
        data = requests.stdin_data(request)
        offset = int(requests.number(request, "offset", 0, float(1 << 62)))
        if run is None or run.stdin is None:
            # Nobody will read it: taken and dropped, so that no sender waits for ever.
            return {"taken": offset + len(data)}
        return {"taken": run.stdin.write(offset, data, request.get("eof") is True)}

    def _stop(self, _request: dict[str, Any]) -> dict[str, Any]:
        if not self._stopping:
            self._stopping = True
            for run in list(self.runs.active.values()):
                run.mark("sandbox_stopped")
            processes.signal_all(signal.SIGTERM)
            processes.signal_all(signal.SIGCONT)
            self.loop.call_later(STOP_GRACE, lambda: processes.signal_all(signal.SIGKILL))
            self.loop.call_later(GIVE_UP, self._give_up)
            # Not at once: the answer has to leave first.
            self.loop.call_later(0.0, self._finish_stop)
        return {}

    def _finish_stop(self) -> None:
        if not self.runs.active and not processes.any_children():
            self.loop.stopped = True

    def _give_up(self) -> None:
        """A full disk or an unkillable process must not keep a stopping sandbox alive."""
        processes.signal_all(signal.SIGKILL)
        for run in list(self.runs.active.values()):
            run.abandon()
        self.loop.stopped = True

    def _exceeded(self, limit: str) -> None:
        for run in list(self.runs.active.values()):
            run.mark("exited", limit)
        processes.signal_all(signal.SIGKILL)

    def _check_folder(self) -> None:
        """Somebody removed the sandbox's folder: nobody can reach us any more, so go."""
        if os.fstat(self._runs_fd).st_nlink == 0:
            processes.signal_all(signal.SIGKILL)
            self.loop.stopped = True
        self.loop.call_later(FOLDER_CHECK, self._check_folder)
