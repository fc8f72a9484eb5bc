"""Stopping every local sandbox of a host at once, for whoever shuts the portal down."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from providers.contract import ConfigurationError

from . import cgroups
from .state import StateDir
from .stopping import stop


def sandbox_ids(working_dir: Path) -> list[str]:
    """Ids of the sandboxes that have a folder below ``working_dir``."""
    found = []
    for path in sorted(working_dir.iterdir()) if working_dir.is_dir() else ():
        try:
            if path.is_dir() and StateDir(working_dir, path.name).sandbox_id == path.name:
                found.append(path.name)
        except ConfigurationError:
            continue  # the uid claims, trash, somebody's notes
    return found


def stop_all(working_dir: Path) -> int:
    """Stop every holder below ``working_dir``; returns how many there were. 8 s at most."""
    working_dir = Path(working_dir)
    states = [StateDir(working_dir, name) for name in sandbox_ids(working_dir)]
    held = [state for state in states if state.is_held()]
    for state in states:
        if state not in held:  # killed from outside: nobody has cleared up after it
            cgroups.remove((state.read("holder.json") or {}).get("cgroups", []))
    if not held:
        return 0
    with ThreadPoolExecutor(max_workers=min(64, len(held))) as pool:
        return sum(pool.map(stop, held))
