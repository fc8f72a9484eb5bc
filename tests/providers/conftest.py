"""Real sandboxes for the provider tests, and the promise that none is left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from providers.contract import (
    SandboxConfig,
    SandboxSession,
)
from providers.local.provider import LocalProvider, LocalSettings
from providers.local.shutdown import stop_all

Create = Callable[..., Awaitable[SandboxSession]]


@pytest.fixture
def working_dir(tmp_path: Path):
    """A folder for sandboxes; whatever still runs in it afterwards is stopped."""
    path = tmp_path / "sandboxes"
    yield path
    stop_all(path)


@pytest.fixture
def provider(working_dir: Path) -> LocalProvider:
    """A provider on a fresh folder."""
    return LocalProvider(LocalSettings(working_dir=working_dir))


@pytest.fixture
async def create(provider: LocalProvider) -> AsyncIterator[Create]:
    """Make sandboxes that are deleted afterwards: ``await create(memory_mb=64, ...)``."""
    made: list[SandboxSession] = []

    async def make(sandbox_id: str | None = None, **config: Any) -> SandboxSession:
        session = await provider.create_sandbox(SandboxConfig(sandbox_id or uuid4().hex, config))
        made.append(session)
        return session

    yield make
    for session in made:
        await session.delete()


@pytest.fixture
async def sandbox(create: Create) -> SandboxSession:
    """One sandbox with the default configuration."""
    return await create()
