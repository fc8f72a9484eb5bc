"""What clients are told of a command's end."""

from __future__ import annotations

from typing import Any

from .models import Command


def end_message(command: Command) -> dict[str, Any]:
    """The message: how it ended and how much it wrote."""
    return {
        "command": str(command.pk),
        "state": command.state,
        "exit_code": command.exit_code,
        "signal": command.signal,
        "reason": command.reason,
        "reason_code": command.reason_code,
        "stdout_bytes": command.stdout_bytes,
        "stderr_bytes": command.stderr_bytes,
    }
