"""Checks before anything is started: the data folder, its lock, the port."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import time
from pathlib import Path
from typing import IO

from .config import LaunchConfig
from .errors import StartError

# A portal that was just killed gives its port back within this time.
PORT_PATIENCE_SECONDS = 2.0


def make_data_dir(config: LaunchConfig) -> None:
    """Make the data folder and what the launcher keeps in it, for this user alone."""
    try:
        for folder in (config.data_dir, config.run_dir, config.logs_dir):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = config.run_dir / f".write-test.{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise StartError(f"the data folder {config.data_dir} can't be written: {reason}") from error


def take_lock(path: Path) -> IO[str]:
    """The lock that keeps a second launcher out of the data folder; held until it is closed.

    Raises:
        StartError: a launcher is running there.
    """
    lock = path.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise StartError(
            f"the portal is already running in {path.parent.parent} (process {holder})"
        ) from error
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def check_port(host: str, port: int) -> None:
    """Refuse an address on which the web process could not listen.

    Raises:
        StartError: says why, and what to set.
    """
    deadline = time.monotonic() + PORT_PATIENCE_SECONDS
    while True:
        try:
            _listen_once(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            raise StartError(_why(host, port, error)) from error
        return


def _listen_once(host: str, port: int) -> None:
    family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0][0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        probe.listen(1)


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use: stop what uses it, or set PORT to another"
    if error.errno == errno.EACCES:
        return f"port {port} may not be used by this user: set PORT to one above 1023"
    return f"HOST={host} is no address of this machine: {error.strerror or error}"
