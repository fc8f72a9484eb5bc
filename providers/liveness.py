"""Dead workers of this host, known at once: each living one holds a lock on a file of its own.

The kernel lets go of a lock when its process dies, however it dies, and it knows the lock across
containers that share the folder. So a worker that starts again needn't wait for the heartbeat
of its predecessor to grow old.
"""

from __future__ import annotations

import contextlib
import fcntl
import uuid
from pathlib import Path
from typing import IO

_held: list[IO[bytes]] = []


def hold(folder: Path, worker_id: uuid.UUID) -> None:
    """Lock this worker's file for as long as the process lives."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = (folder / worker_id.hex).open("wb")
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    _held.append(file)


def is_dead(folder: Path, worker_id: uuid.UUID) -> bool:
    """Whether that worker's file is there and nobody holds it; False when it can't be known."""
    with contextlib.suppress(OSError), (folder / worker_id.hex).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return True
    return False


def forget(folder: Path, worker_id: uuid.UUID) -> None:
    """Remove a dead worker's file."""
    with contextlib.suppress(OSError):
        (folder / worker_id.hex).unlink()
