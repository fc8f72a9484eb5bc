"""Ending a holder for certain. Blocking: called in a thread, or from ``shutdown``."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from providers.contract import SandboxGone

from . import cgroups, launch
from .state import StateDir, holder_pid, start_ticks

# The holder gives its processes 2 s after SIGTERM and itself 3 s in all.
POLITE_SECONDS = 4.5
KILL_SECONDS = 5.0


def stop(state: StateDir) -> bool:
    """Ask the holder to end its sandbox, kill it if it doesn't; whether there was one."""
    record = state.read("holder.json") or {}
    try:
        connection = state.connect()
    except SandboxGone:
        was_held = state.is_held() and _kill_recorded(record)
        if not state.exists():
            # Somebody removed the folder: the holder goes by itself, but not at once.
            cgroups.kill_members(cgroups.leftovers(state.sandbox_id))
    else:
        with connection:
            _stop_connected(connection)
        was_held = True
    if was_held:
        _wait_released(state)
    cgroups.remove([*record.get("cgroups", []), *cgroups.leftovers(state.sandbox_id)])
    launch.collect()
    return was_held


def _stop_connected(connection: socket.socket) -> None:
    pid = holder_pid(connection)
    try:
        # The connection still stands, so the pid is still the holder's when we open it.
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        with suppress(OSError):
            connection.sendall(json.dumps({"op": "stop"}).encode() + b"\n")
        if not select.select([pidfd], [], [], POLITE_SECONDS)[0]:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            select.select([pidfd], [], [], KILL_SECONDS)
    finally:
        os.close(pidfd)


def _kill_recorded(record: dict[str, Any]) -> bool:
    """Kill a holder that doesn't answer, if the recorded pid is provably still the holder."""
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    pid, ticks = record.get("pid"), record.get("start_ticks")
    if record.get("boot_id") != boot_id or not isinstance(pid, int) or ticks is None:
        return False
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if start_ticks(pid) != ticks:
            return False
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        select.select([pidfd], [], [], KILL_SECONDS)
    finally:
        os.close(pidfd)
    return True


def _wait_released(state: StateDir) -> None:
    """The lock falls when the last process that could write to the sandbox's journals ends."""
    deadline = time.monotonic() + KILL_SECONDS
    while state.is_held() and time.monotonic() < deadline:
        time.sleep(0.005)
