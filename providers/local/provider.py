"""The local provider: makes and finds sandboxes below one folder of this host."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from providers.contract import (
    ConfigurationError,
    HealthReport,
    ProviderError,
    QuotaExceeded,
    SandboxConfig,
    SandboxProvider,
    SandboxStatus,
)

from . import health
from .capabilities import CAPABILITIES
from .client import HolderClient
from .config import LocalConfig
from .launch import start_holder
from .session import LocalSession, status_of
from .settings import LocalSettings
from .shutdown import sandbox_ids
from .state import StateDir

__all__ = ["LocalProvider", "LocalSettings"]


class LocalProvider(SandboxProvider):
    """Sandboxes on this host. One instance serves one event loop."""

    name = "local"
    label = "Local"
    config_model = LocalConfig
    capabilities = CAPABILITIES

    def __init__(self, settings: LocalSettings) -> None:
        self.settings = settings

    async def create_sandbox(self, config: SandboxConfig) -> LocalSession:
        """See the contract."""
        state = StateDir(self.settings.working_dir, config.sandbox_id)
        try:
            checked = LocalConfig.model_validate(dict(config.provider_config))
            extra = LocalConfig.model_validate({"environment": dict(config.environment_vars)})
        except ValidationError as error:
            raise ConfigurationError(_sentence(error), detail=str(error)) from error
        await asyncio.to_thread(self._create, state, checked, extra.environment)
        return self._session(state)

    def _create(self, state: StateDir, config: LocalConfig, environment: dict[str, str]) -> None:
        """Make the folder and start the holder. Every step may have been done before."""
        try:
            make_working_dir(self.settings.working_dir)
            state.path.mkdir(mode=0o700, exist_ok=True)
            for name in ("home", "runs"):
                with suppress(FileExistsError):
                    (state.path / name).mkdir(mode=0o700)
            # Last: its being there says that the folder is complete.
            if state.read("config.json") is None:
                record = {"config": config.model_dump(), "environment": environment}
                state.write("config.json", record, replace=False)
        except OSError as error:
            raise QuotaExceeded(
                f"No folder for the sandbox could be made: {error.strerror}.", detail=str(error)
            ) from error
        start_holder(state, self.settings)

    async def attach(self, sandbox_id: str) -> LocalSession:
        """See the contract."""
        return self._session(StateDir(self.settings.working_dir, sandbox_id))

    async def list_sandboxes(self) -> list[str]:
        """See the contract."""
        return await asyncio.to_thread(sandbox_ids, Path(self.settings.working_dir))

    async def get_sandbox_status(self, sandbox_id: str) -> SandboxStatus:
        """See the contract. A malformed id is one that is gone."""
        try:
            return status_of(StateDir(self.settings.working_dir, sandbox_id))
        except ConfigurationError:
            return SandboxStatus.GONE

    async def check(self) -> HealthReport:
        """See the contract: starts a throwaway sandbox and runs ``true`` in it."""
        try:
            async with asyncio.timeout(20):
                return await health.check(self)
        except ProviderError as error:
            return HealthReport(False, error.message, error.code, health.facts(self.settings))
        except TimeoutError:
            return HealthReport(False, "A test sandbox did not start in 20 s.", "provider_timeout")
        except OSError as error:
            return HealthReport(
                False, f"{self.settings.working_dir} can't be used: {error.strerror}.", "disk_error"
            )

    def _session(self, state: StateDir) -> LocalSession:
        return LocalSession(state, self.settings, HolderClient(state))


def make_working_dir(path: Path) -> None:
    """The folder of all sandboxes, closed to other users of the host."""
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    elif path.stat().st_uid == os.geteuid() and path.stat().st_mode & 0o077:
        path.chmod(0o700)


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}." if place else f"{first['msg']}."
