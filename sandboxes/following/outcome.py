"""How a command ended, as columns of its row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from providers.contract import ProviderError, RunEnd, RunExit, RunRefused, SandboxGone

from ..models import Command
from ..states import CommandState

_STATES = {
    RunEnd.EXITED: CommandState.EXITED,
    RunEnd.TIMED_OUT: CommandState.TIMED_OUT,
    RunEnd.CANCELLED: CommandState.CANCELLED,
    RunEnd.SANDBOX_STOPPED: CommandState.CANCELLED,
}


_LIMITS = {
    "disk": (
        "disk_limit",
        "Killed: the sandbox is over its disk limit. Delete files, or raise it.",
    ),
    "cpu_time": ("cpu_time_exhausted", "Killed: the sandbox has used up its CPU time."),
}


def of_exit(command: Command, exit_: RunExit) -> dict[str, Any]:
    """The true end that the sandbox recorded."""
    code, reason = _LIMITS.get(exit_.limit, ("", ""))
    if exit_.end == RunEnd.TIMED_OUT:
        code, reason = "timed_out", f"Ended after its time limit of {command.timeout_seconds} s."
    elif exit_.end == RunEnd.SANDBOX_STOPPED:
        code, reason = "sandbox_stopped", "The sandbox was stopped while it ran."
    elif exit_.end == RunEnd.CANCELLED:
        code, reason = "cancelled", "Cancelled."
    return {
        "state": _STATES[exit_.end],
        "exit_code": exit_.exit_code,
        "signal": exit_.signal,
        "reason_code": code,
        "reason": reason,
        "started_at": datetime.fromtimestamp(exit_.started_at, UTC),
        "ended_at": datetime.fromtimestamp(exit_.ended_at, UTC),
    }


def outcome_of(command: Command, error: Exception) -> dict[str, Any]:
    """What an error means: never started, cancelled before it started, or lost."""
    code = error.code if isinstance(error, ProviderError) else "internal_error"
    message = str(error) if isinstance(error, ProviderError) else "The portal failed to follow it."
    if isinstance(error, RunRefused):
        state = CommandState.FAILED
    elif command.state == CommandState.CANCELLING and command.started_at is None:
        state, code, message = CommandState.CANCELLED, "cancelled", "Cancelled before it started."
    elif command.state == CommandState.STARTING and isinstance(error, SandboxGone):
        state = CommandState.FAILED
    else:
        state = CommandState.LOST
    return {"state": state, "reason_code": code, "reason": message[:500]}
