"""Configured providers and handles on sandboxes, for workers only: one set per event loop.

This is where adapters are imported; the web process never comes here.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings

from .contract import ConfigurationError, SandboxProvider, SandboxSession


def _local() -> SandboxProvider:
    from .local.provider import LocalProvider, LocalSettings

    return LocalProvider(
        LocalSettings(working_dir=settings.LOCAL_WORKING_DIR, isolation=settings.LOCAL_ISOLATION)
    )


FACTORIES: dict[str, Callable[[], SandboxProvider]] = {"local": _local}


@dataclass
class Instances:
    """The providers of one event loop, and the sessions on their sandboxes."""

    providers: dict[str, SandboxProvider] = field(default_factory=dict)
    sessions: dict[tuple[str, str], SandboxSession] = field(default_factory=dict)


_instances: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Instances] = (
    weakref.WeakKeyDictionary()
)


def _here() -> Instances:
    return _instances.setdefault(asyncio.get_running_loop(), Instances())


def provider(name: str) -> SandboxProvider:
    """The provider of that name on the running loop. Raises ``ConfigurationError``."""
    here = _here()
    if name not in here.providers:
        if name not in FACTORIES:
            raise ConfigurationError(f"There is no provider {name}.")
        here.providers[name] = FACTORIES[name]()
    return here.providers[name]


async def session(provider_name: str, ref: str) -> SandboxSession:
    """The handle on a sandbox, kept for the next call."""
    here = _here()
    key = (provider_name, ref)
    if key not in here.sessions:
        here.sessions[key] = await provider(provider_name).attach(ref)
    return here.sessions[key]


async def forget(provider_name: str, ref: str) -> None:
    """Close the handle on a sandbox that is stopped or gone."""
    found = _here().sessions.pop((provider_name, ref), None)
    if found is not None:
        await found.close()
