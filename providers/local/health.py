"""Finding out whether local sandboxes work on this host, by making one."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from providers.contract import HealthReport, IsolationUnavailable, SandboxConfig

from . import bubblewrap, network
from .settings import LocalSettings
from .state import StateDir

if TYPE_CHECKING:
    from .provider import LocalProvider


def facts(settings: LocalSettings) -> dict[str, Any]:
    """What is known without starting anything."""
    found: dict[str, Any] = {
        "isolation": "none" if settings.isolation == "none" else "bubblewrap",
        "user": "root" if os.geteuid() == 0 else "unprivileged",
        "working_dir": str(settings.working_dir),
        "python": sys.version.split()[0],
        "network": network.availability(),
    }
    if settings.isolation != "none":
        try:
            path, version = bubblewrap.find(settings)
            found["bubblewrap"] = {"path": path, "version": version}
        except IsolationUnavailable as error:
            found["bubblewrap"] = error.message
    return found


async def check(provider: LocalProvider) -> HealthReport:
    """Create, run ``true``, delete. Raises what a user's create would raise."""
    sandbox_id = uuid4().hex
    session = await provider.attach(sandbox_id)
    try:
        await provider.create_sandbox(SandboxConfig(sandbox_id, {"memory_mb": 128}))
        result = await session.execute("true", timeout=10)
        record = StateDir(provider.settings.working_dir, sandbox_id).read("holder.json") or {}
    finally:
        await session.delete()
    found = {**facts(provider.settings), "limits": record.get("limits", {})}
    if not result.success:
        return HealthReport(
            False, f"A test command ended with code {result.return_code}.", "check_failed", found
        )
    if provider.settings.isolation == "none":
        return HealthReport(
            True, "Ready, but WITHOUT isolation: by the operator's choice.", "ok", found
        )
    return HealthReport(True, "Ready. Sandboxes are isolated by bubblewrap.", "ok", found)
