"""Removing a sandbox's folder, whatever its user left in it. Blocking: called in a thread."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from .state import DIRECTORY

TRASH = ".trash-"


def remove(path: Path) -> None:
    """Remove a folder tree of any depth, width and permissions; a missing one is fine.

    It is renamed first, so the sandbox is gone at once and a crash leaves only trash.
    """
    trash = path.parent / f"{TRASH}{path.name}-{secrets.token_hex(4)}"
    with suppress(FileNotFoundError):
        os.rename(path, trash)
        _flatten(trash)


def sweep(working_dir: Path) -> None:
    """Finish removals that a crash interrupted."""
    for entry in list(os.scandir(working_dir)) if working_dir.is_dir() else ():
        if entry.name.startswith(TRASH):
            with suppress(FileNotFoundError):
                _flatten(Path(entry.path))


def _flatten(root: Path) -> None:
    """Empty and remove ``root`` without recursion.

    Folders found deeper are moved up next to the others first: so paths never grow long, and
    few descriptors are open, however deep the tree is.
    """
    root_fd = os.open(root, DIRECTORY)
    try:
        moved = 0
        while names := os.listdir(root_fd):
            for name in names:
                if not _is_folder(root_fd, name):
                    os.unlink(name, dir_fd=root_fd)
                    continue
                moved = _empty(root_fd, name, moved)
                os.rmdir(name, dir_fd=root_fd)
    finally:
        os.close(root_fd)
    os.rmdir(root)


def _empty(root_fd: int, name: str, moved: int) -> int:
    """Unlink a folder's files and move its folders up into the root."""
    _open_up(root_fd, name)
    fd = os.open(name, DIRECTORY, dir_fd=root_fd)
    try:
        for entry in os.listdir(fd):
            if not _is_folder(fd, entry):
                os.unlink(entry, dir_fd=fd)
                continue
            _open_up(fd, entry)  # moving a folder writes its own ".."
            while True:
                moved += 1
                try:
                    os.rename(entry, f".moved-{moved}", src_dir_fd=fd, dst_dir_fd=root_fd)
                    break
                except OSError:
                    if not _exists(root_fd, f".moved-{moved}"):
                        raise
    finally:
        os.close(fd)
    return moved


def _is_folder(dir_fd: int, name: str) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=dir_fd, follow_symlinks=False).st_mode)


def _exists(dir_fd: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _open_up(dir_fd: int, name: str) -> None:
    with suppress(PermissionError):
        os.chmod(name, 0o700, dir_fd=dir_fd)
