"""States and allowed moves. A move is one conditional UPDATE; losing the race is normal."""

from __future__ import annotations

from django.db import models


class SandboxState(models.TextChoices):
    """Where a sandbox stands. Those in ``SETTLING`` wait for a worker."""

    CREATING = "creating", "Creating"
    RUNNING = "running", "Running"
    STOPPING = "stopping", "Stopping"
    STOPPED = "stopped", "Stopped"
    STARTING = "starting", "Starting"
    FAILED = "failed", "Failed"
    LOST = "lost", "Lost"
    DELETING = "deleting", "Deleting"
    DELETED = "deleted", "Deleted"


class CommandState(models.TextChoices):
    """Where a command stands. ``EXITED`` has the true exit code; ``LOST`` never has one."""

    QUEUED = "queued", "Queued"
    STARTING = "starting", "Starting"
    RUNNING = "running", "Running"
    CANCELLING = "cancelling", "Cancelling"
    EXITED = "exited", "Exited"
    TIMED_OUT = "timed_out", "Timed out"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Could not start"
    LOST = "lost", "Lost"


S, C = SandboxState, CommandState

SETTLING = frozenset({S.CREATING, S.STARTING, S.STOPPING, S.DELETING})
ENDED = frozenset({C.EXITED, C.TIMED_OUT, C.CANCELLED, C.FAILED, C.LOST})
ACTIVE = frozenset({C.QUEUED, C.STARTING, C.RUNNING, C.CANCELLING})

SANDBOX_MOVES: dict[SandboxState, frozenset[SandboxState]] = {
    S.CREATING: frozenset({S.RUNNING, S.FAILED, S.DELETING}),
    S.RUNNING: frozenset({S.STOPPING, S.STOPPED, S.LOST, S.DELETING}),
    S.STOPPING: frozenset({S.STOPPED, S.LOST, S.DELETING}),
    S.STOPPED: frozenset({S.STARTING, S.LOST, S.DELETING}),
    S.STARTING: frozenset({S.RUNNING, S.STOPPED, S.LOST, S.DELETING}),
    S.FAILED: frozenset({S.DELETING}),
    S.LOST: frozenset({S.DELETING}),
    S.DELETING: frozenset({S.DELETED}),
    S.DELETED: frozenset(),
}
COMMAND_MOVES: dict[CommandState, frozenset[CommandState]] = {
    C.QUEUED: frozenset({C.STARTING, C.CANCELLED, C.FAILED}),
    C.STARTING: frozenset({C.RUNNING, C.CANCELLING, *ENDED}),
    C.RUNNING: frozenset({C.CANCELLING, *ENDED}),
    C.CANCELLING: frozenset(ENDED),
    **{state: frozenset() for state in ENDED},
}


def sources(moves: dict, target: str) -> list[str]:
    """The states from which a move to ``target`` is allowed."""
    return [str(state) for state, targets in moves.items() if target in targets]
