"""Where an installation keeps its things; the settings and the launcher both ask here."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import socket
import stat
from pathlib import Path

from .environment import env

# A unix socket's path may hold 107 bytes (Linux); some systems allow 103.
LONGEST_SOCKET_PATH = 103


def data_dir() -> Path:
    """The data folder: database, keys, logs, local sandboxes."""
    return Path(env("GCPORTAL_DATA_DIR")).expanduser().resolve()


def local_working_dir(data: Path) -> Path:
    """Where the local provider keeps its sandboxes."""
    return Path(env("LOCAL_WORKING_DIR") or data / "local").resolve()


def redis_socket(data: Path) -> Path:
    """The embedded server's socket: in the data folder, or a short private one if that is deep."""
    path = data / "run" / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    # Fixed by user and data folder alone, so that every process finds the same one.
    user = os.geteuid()
    base = Path(f"/run/user/{user}")
    if not base.is_dir() or base.stat().st_uid != user:
        base = Path("/tmp")  # noqa: S108 - made private and checked below
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    return private_dir(base / f"gcportal-{user}-{digest}") / "redis.sock"


def private_dir(path: Path) -> Path:
    """Make ``path`` for this user alone; refuse one that somebody else could have prepared.

    Raises:
        PermissionError: it is a link, another user's, or open to others.
    """
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise PermissionError(f"{path} must be a folder of this user with mode 0700")
    return path


def worker_host(data: Path) -> str:
    """The name under which this host's workers own local sandboxes.

    ``WORKER_HOST`` if set. Otherwise an embedded installation keeps a name in its data folder, so
    that a renamed machine still finds its sandboxes; with a shared Redis it is the host's name.
    """
    given: str = env("WORKER_HOST")
    if given or env("REDIS_URL"):
        return given or socket.gethostname()
    path = data / "worker_host"
    with contextlib.suppress(FileNotFoundError):
        return path.read_text().strip()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    label = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:40] or "host"
    fresh = path.with_name(f".worker_host.{os.getpid()}.{secrets.token_hex(4)}")
    fresh.write_text(f"{label}-{secrets.token_hex(4)}\n")
    try:
        os.link(fresh, path)  # the first process wins; all others read what it wrote
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text().strip()
