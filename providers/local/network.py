"""Network for sandboxes that asked for it. Work in progress: refused until it is safe."""

from __future__ import annotations

from providers.contract import ConfigurationError

from .settings import LocalSettings

NAMESERVER = "10.0.2.3"


def connect(pid: int, alive_fd: int, settings: LocalSettings) -> None:
    """Connect the holder's network namespace."""
    raise ConfigurationError("Local sandboxes have no network yet.")


def availability(settings: LocalSettings) -> str:
    """Whether sandboxes can have a network here, in words."""
    return "not built"
