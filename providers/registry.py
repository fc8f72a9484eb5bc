"""The registry: one entry per kind of provider.

A web process learns names, forms and capabilities from here without importing any SDK.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.utils.module_loading import import_string
from pydantic import BaseModel

from .contract import Capabilities


@dataclass(frozen=True, slots=True)
class Kind:
    """Where a kind of provider lives.

    ``config`` is the Pydantic model, ``capabilities`` the value; both modules import no SDK.
    ``host_bound``: its sandboxes belong to the worker host that made them.
    """

    label: str
    config: str
    capabilities: str
    host_bound: bool = False


KINDS: dict[str, Kind] = {
    "local": Kind(
        "Local",
        config="providers.local.config.LocalConfig",
        capabilities="providers.local.capabilities.CAPABILITIES",
        host_bound=True,
    ),
}


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """What the web side knows of a provider. ``missing`` says why it can't be used, if so."""

    name: str
    label: str
    config_model: type[BaseModel]
    capabilities: Capabilities
    host_bound: bool
    missing: str = ""


@cache
def info(name: str) -> ProviderInfo | None:
    """The provider of that name, or ``None``."""
    kind = KINDS.get(name)
    if kind is None:
        return None
    config, capabilities = import_string(kind.config), import_string(kind.capabilities)
    return ProviderInfo(name, kind.label, config, capabilities, kind.host_bound)


def catalogue() -> list[ProviderInfo]:
    """All providers, in the registry's order."""
    return [found for name in KINDS if (found := info(name))]
