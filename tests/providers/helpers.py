"""Starting and following runs in the provider tests."""

from __future__ import annotations

import os
from typing import Any
from uuid import uuid4

import pytest

from providers.contract import (
    RunEvent,
    RunExit,
    RunGap,
    RunOutput,
    RunSpec,
    SandboxSession,
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def spec(command: str, **fields: Any) -> RunSpec:
    """A run of ``command`` with a fresh id and no stdin."""
    return RunSpec(**{"run_id": uuid4().hex, "command": command, "stdin": False, **fields})


class Followed:
    """Everything that following a run to its end yielded."""

    def __init__(self, events: list[RunEvent]) -> None:
        self.events = events
        self.exit = events[-1] if events and isinstance(events[-1], RunExit) else None
        self.gaps = [event for event in events if isinstance(event, RunGap)]

    def bytes(self, stream: str) -> bytes:
        """The stream's bytes; fails unless they came in order, each once."""
        parts = []
        position: int | None = None
        for event in self.events:
            if isinstance(event, RunExit) or event.stream != stream:
                continue
            start = event.offset if isinstance(event, RunOutput) else event.start
            assert position is None or start == position, (position, event)
            if isinstance(event, RunOutput):
                parts.append(event.data)
                position = start + len(event.data)
            else:
                position = event.end
        return b"".join(parts)

    @property
    def out(self) -> bytes:
        """Standard output."""
        return self.bytes("stdout")

    @property
    def err(self) -> bytes:
        """Standard error."""
        return self.bytes("stderr")


async def follow(
    session: SandboxSession, run_id: str, stdout: int = 0, stderr: int = 0
) -> Followed:
    """Follow a run to its end."""
    events = session.follow_run(run_id, {"stdout": stdout, "stderr": stderr})
    return Followed([event async for event in events])


async def run(session: SandboxSession, command: str, **fields: Any) -> Followed:
    """Start a command and follow it to its end."""
    request = spec(command, **fields)
    await session.start_run(request)
    return await follow(session, request.run_id)
