"""A sandbox's folder on the host: its layout, its lock, and safe ways to read from it.

::

    <working_dir>/<sandbox_id>/   0700, the portal's own user
        home/        the user's files, bound into the sandbox
        runs/<id>/   journals: stdout, stderr, start.json, exit.json, *.gap
        etc/         generated files for the sandbox's /etc
        config.json  what it was created with
        holder.json  who holds it, and which limits are in force
        holder.sock, holder.log, lock

Whoever holds ``lock`` is the holder: the starter takes it and hands the open file on, so it
falls with the holder's last breath, whatever kills it.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

from providers.contract import ConfigurationError, RunNotFound, SandboxGone, SandboxStorageLost

_ID = re.compile(r"[0-9a-f]{32}")
_RECORD_MAX = 256 * 1024
_FLOCK = "hhqqi4x"
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def canonical_id(value: str) -> str:
    """The id as 32 hexadecimal digits: it becomes a path part. Dashes of a UUID are dropped."""
    plain = value.replace("-", "").lower() if isinstance(value, str) else ""
    if not _ID.fullmatch(plain):
        raise ConfigurationError("A sandbox id must be a UUID.")
    return plain


def canonical_run_id(value: str) -> str:
    """As ``canonical_id``; a malformed run id is one that no sandbox knows."""
    try:
        return canonical_id(value)
    except ConfigurationError:
        raise RunNotFound("The sandbox knows no such run.") from None


def read_json(dir_fd: int, name: str) -> dict[str, Any] | None:
    """A small record; ``None`` when missing, torn, or something else than a record."""
    try:
        fd = os.open(name, FILE, dir_fd=dir_fd)
    except OSError:
        return None
    try:
        record = json.loads(os.read(fd, _RECORD_MAX))
    except (ValueError, OSError):
        return None
    finally:
        os.close(fd)
    return record if isinstance(record, dict) else None


class StateDir:
    """One sandbox's folder. Holds no descriptor; every call opens what it needs."""

    def __init__(self, working_dir: Path, sandbox_id: str) -> None:
        self.sandbox_id = canonical_id(sandbox_id)
        self.working_dir = Path(working_dir)
        self.path = self.working_dir / self.sandbox_id

    def exists(self) -> bool:
        """Whether the folder is there."""
        return self.path.is_dir()

    def has_files(self) -> bool:
        """Whether everything a start needs is there."""
        return all((self.path / name).exists() for name in ("home", "runs", "config.json"))

    def require_files(self) -> None:
        """Raise ``SandboxStorageLost`` if somebody removed the sandbox's files."""
        if not self.has_files():
            raise SandboxStorageLost("The sandbox's files were removed; it can only be deleted.")

    def open(self, *parts: str) -> int:
        """Descriptor of the folder or one below it; the caller closes it."""
        fd = os.open(self.path, DIRECTORY)
        for part in parts:
            try:
                inner = os.open(part, DIRECTORY, dir_fd=fd)
            finally:
                os.close(fd)
            fd = inner
        return fd

    def read(self, name: str) -> dict[str, Any] | None:
        """A record in the folder, or ``None``."""
        try:
            fd = self.open()
        except OSError:
            return None
        try:
            return read_json(fd, name)
        finally:
            os.close(fd)

    def write(
        self, name: str, record: dict[str, Any], *, replace: bool = True, durable: bool = True
    ) -> None:
        """Write a record into the folder atomically, and unless told otherwise lastingly.

        Without ``replace`` the first of several writers wins.
        """
        temporary = self.path / f".{name}.{secrets.token_hex(4)}.tmp"
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, json.dumps(record).encode())
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        if replace:
            os.replace(temporary, self.path / name)
            return
        with suppress(FileExistsError):
            os.link(temporary, self.path / name)
        os.unlink(temporary)

    def take_lock(self) -> int | None:
        """Become the holder's starter: the locked descriptor, or ``None`` if one is alive."""
        fd = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.fcntl(fd, fcntl.F_OFD_SETLK, struct.pack(_FLOCK, fcntl.F_WRLCK, 0, 0, 0, 0))
        except OSError:
            os.close(fd)
            return None
        return fd

    def is_held(self) -> bool:
        """Whether a holder lives, or is being started. Asks the kernel, takes nothing."""
        try:
            fd = os.open(self.path / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            probe = struct.pack(_FLOCK, fcntl.F_WRLCK, 0, 0, 0, 0)
            answer = fcntl.fcntl(fd, fcntl.F_OFD_GETLK, probe)
            return bool(struct.unpack(_FLOCK, answer)[0] != fcntl.F_UNLCK)
        finally:
            os.close(fd)

    def bind_socket(self) -> socket.socket:
        """A bound, not yet listening socket at ``holder.sock``; call with the lock taken."""
        (self.path / "holder.sock").unlink(missing_ok=True)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        fd = self.open()
        try:
            # A unix socket's address has room for 107 bytes, less than many paths.
            server.bind(f"/proc/self/fd/{fd}/holder.sock")
        except BaseException:
            server.close()
            raise
        finally:
            os.close(fd)
        return server

    def connect(self) -> socket.socket:
        """A connection to the holder. Raises ``SandboxGone`` when there is none."""
        try:
            fd = self.open()
        except OSError:
            raise SandboxStorageLost("The sandbox's files were removed.") from None
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            client.setblocking(False)
            client.connect(f"/proc/self/fd/{fd}/holder.sock")
        except OSError as error:
            client.close()
            raise SandboxGone("The sandbox is not running.", detail=str(error)) from None
        finally:
            os.close(fd)
        return client


def holder_pid(connection: socket.socket) -> int:
    """The holder's pid: the kernel names the process that listens at the other end."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int(struct.unpack("3i", credentials)[0])


def start_ticks(pid: int) -> int | None:
    """When a process started, in clock ticks since boot: tells a recycled pid apart."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return None
