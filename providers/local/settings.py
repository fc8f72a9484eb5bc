"""What the operator decides for all local sandboxes of a host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """Operator's settings; nothing here is read from the environment.

    Args:
        working_dir: where sandboxes live; one folder each, readable by the portal only.
        isolation: ``auto`` isolates or refuses; ``none`` runs commands as the portal's own user.
        uid_base: first of the host uids given to sandboxes when the worker is root.
        uid_count: how many uids there are to give, so how many sandboxes may exist.
        bwrap: path of the bubblewrap binary; found by itself when ``None``.
        network_allow: networks (CIDR) that sandboxes with network may reach although they
            are private or this host's own.
        limits_mechanism: ``auto`` uses cgroups where the worker may write them; ``watchdog``
            holds limits from inside the sandbox only.
    """

    working_dir: Path
    isolation: Literal["auto", "none"] = "auto"
    uid_base: int = 200000
    uid_count: int = 65536
    bwrap: Path | None = None
    network_allow: tuple[str, ...] = ()
    limits_mechanism: Literal["auto", "watchdog"] = "auto"
