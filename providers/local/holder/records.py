"""Small JSON records below a directory descriptor, written so that readers never see half."""

from __future__ import annotations

import json
import os
from typing import Any

# The end record is written in place of a file that has its block already, so that a full disk
# doesn't lose an exit code.
RESERVED = 1024


def write_record(dir_fd: int, name: str, record: dict[str, Any]) -> None:
    """Write a record atomically. Not synced: after a power cut the run counts as lost anyway."""
    temporary = f".{name}.tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=dir_fd)
    try:
        data = json.dumps(record).encode()
        os.pwrite(fd, data, 0)
        os.ftruncate(fd, len(data))
    finally:
        os.close(fd)
    os.rename(temporary, name, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)


def reserve_record(dir_fd: int, name: str) -> None:
    """Take the disk space that ``write_record`` of this name will need."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
    fd = os.open(f".{name}.tmp", flags, 0o600, dir_fd=dir_fd)
    try:
        os.pwrite(fd, b" " * RESERVED, 0)
    finally:
        os.close(fd)


def read_record(dir_fd: int, name: str) -> dict[str, Any] | None:
    """The record, or ``None`` when there is none (or only half of one)."""
    try:
        fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=dir_fd)
    except FileNotFoundError:
        return None
    try:
        record = json.loads(os.read(fd, 65536))
    except ValueError:
        return None
    finally:
        os.close(fd)
    return record if isinstance(record, dict) else None
