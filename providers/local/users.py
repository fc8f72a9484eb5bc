"""Host uids of sandboxes when the worker is root: one each, so they can't touch one another."""

from __future__ import annotations

import os
from pathlib import Path

from providers.contract import QuotaExceeded

from .settings import LocalSettings

_FOLDER = ".uids"


def claim(settings: LocalSettings, sandbox_id: str) -> int:
    """The sandbox's uid: the same at every call until released, never one of another's."""
    folder = Path(settings.working_dir) / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    start = int(sandbox_id, 16) % settings.uid_count
    for step in range(settings.uid_count):
        uid = settings.uid_base + (start + step) % settings.uid_count
        path = folder / str(uid)
        try:
            # A symbolic link is made with its content in one step: no half-made claim.
            os.symlink(sandbox_id, path)
        except FileExistsError:
            if os.readlink(path) != sandbox_id:
                continue
        return uid
    raise QuotaExceeded(f"All {settings.uid_count} user ids for local sandboxes are taken.")


def release(settings: LocalSettings, sandbox_id: str) -> None:
    """Give a deleted sandbox's uid back."""
    folder = Path(settings.working_dir) / _FOLDER
    start = int(sandbox_id, 16) % settings.uid_count
    for step in range(settings.uid_count):
        path = folder / str(settings.uid_base + (start + step) % settings.uid_count)
        try:
            if os.readlink(path) == sandbox_id:
                path.unlink()
                return
        except OSError:
            return  # probing goes no further than the first free one
