"""The registry: one line per kind of provider. The contract's other side is never imported here
before it is used, so a web process learns names, forms and capabilities without any SDK."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module

from pydantic import BaseModel

from .contract import Capabilities


@dataclass(frozen=True, slots=True)
class Kind:
    """Where a kind of provider lives.

    ``package`` holds ``config.py`` (the Pydantic model ``Config``), ``capabilities.py``
    (``CAPABILITIES``) and, for workers only, ``factory.py`` (``make() -> SandboxProvider``).
    ``host_bound``: its sandboxes belong to the worker host that made them.
    """

    label: str
    package: str
    host_bound: bool = False


KINDS: dict[str, Kind] = {
    "local": Kind("Local", "providers.local", host_bound=True),
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
    config = import_module(f"{kind.package}.config").Config
    capabilities = import_module(f"{kind.package}.capabilities").CAPABILITIES
    return ProviderInfo(name, kind.label, config, capabilities, kind.host_bound)


def catalogue() -> list[ProviderInfo]:
    """All providers, in the registry's order."""
    return [found for name in KINDS if (found := info(name))]
