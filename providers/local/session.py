"""A handle on one local sandbox."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from providers.contract import (
    ProviderTimeout,
    RunEvent,
    RunInfo,
    RunRefused,
    RunSpec,
    SandboxGone,
    SandboxSession,
    SandboxStatus,
    Stream,
)

from . import removal, users
from .client import HolderClient
from .follow import follow
from .launch import start_holder
from .settings import LocalSettings
from .state import StateDir, canonical_run_id
from .stopping import stop

START_LIMIT = 10.0
CALL_LIMIT = 5.0
STDIN_PART = 1024 * 1024


def status_of(state: StateDir) -> SandboxStatus:
    """A sandbox's state, read from its folder and its lock."""
    if not state.exists():
        return SandboxStatus.GONE
    if not state.has_files():
        return SandboxStatus.ERROR
    return SandboxStatus.RUNNING if state.is_held() else SandboxStatus.STOPPED


class LocalSession(SandboxSession):
    """Talks to the sandbox's holder; reads journals by itself."""

    def __init__(self, state: StateDir, settings: LocalSettings, client: HolderClient) -> None:
        self._state = state
        self._settings = settings
        self._client = client

    @property
    def sandbox_id(self) -> str:
        """The portal's id of the sandbox; the local provider has no other."""
        return self._state.sandbox_id

    async def status(self) -> SandboxStatus:
        """See the contract. ``ERROR`` is a folder from which files were removed."""
        return status_of(self._state)

    async def describe(self) -> Mapping[str, Any]:
        """How it is isolated, and which mechanism holds each limit."""
        held = self._state.read("holder.json") or {}
        return {"isolation": held.get("isolation", ""), "limits": held.get("limits", {})}

    async def start_run(self, spec: RunSpec) -> RunInfo:
        """See the contract."""
        try:
            run_id = canonical_run_id(spec.run_id)
        except Exception as error:
            raise RunRefused("A run id must be a UUID.", code="run_id_invalid") from error
        self._state.require_files()
        answer = await self._client.request(
            "start",
            START_LIMIT,
            run_id=run_id,
            command=_sendable(spec.command),
            working_dir=spec.working_dir,
            environment=dict(spec.environment),
            timeout=spec.timeout,
            stdin=spec.stdin,
            output_limit=spec.output_limit,
        )
        return RunInfo(spec.run_id, bool(answer["started"]), float(answer["started_at"]))

    async def follow_run(
        self, run_id: str, offsets: Mapping[Stream, int]
    ) -> AsyncGenerator[RunEvent, None]:
        """See the contract."""
        events = follow(self._state, self._client, canonical_run_id(run_id), offsets)
        try:
            async for event in events:
                yield event
        finally:
            await events.aclose()

    async def cancel_run(self, run_id: str, grace: float) -> None:
        """See the contract. The grace may be 0 to 3600 seconds."""
        await self._run_request("cancel", run_id, grace=grace)

    async def signal_run(self, run_id: str, signal: int) -> None:
        """See the contract."""
        await self._run_request("signal", run_id, signal=int(signal))

    async def write_stdin(self, run_id: str, offset: int, data: bytes, eof: bool) -> int:
        """See the contract."""
        part = data[:STDIN_PART]
        answer = await self._run_request(
            "stdin",
            run_id,
            offset=offset,
            data=base64.b64encode(part).decode(),
            eof=eof and len(part) == len(data),
        )
        return int(answer["taken"])

    async def terminate(self) -> None:
        """See the contract."""
        await asyncio.to_thread(stop, self._state)
        if self._state.is_held():
            raise ProviderTimeout("The sandbox's processes could not be ended.")

    async def wake_up(self) -> None:
        """See the contract."""
        self._state.require_files()
        await asyncio.to_thread(start_holder, self._state, self._settings)

    async def delete(self) -> None:
        """See the contract."""
        self._client.close()
        await asyncio.to_thread(self._delete)

    async def close(self) -> None:
        """Hang up; the sandbox is not touched."""
        self._client.close()

    def _delete(self) -> None:
        stop(self._state)
        removal.remove(self._state.path)
        users.release(self._settings, self._state.sandbox_id)

    async def _run_request(self, op: str, run_id: str, **fields: object) -> dict[str, Any]:
        """A request about a run. On a stopped sandbox a known run is over, so left alone."""
        self._state.require_files()
        try:
            return await self._client.request(
                op, CALL_LIMIT, run_id=canonical_run_id(run_id), **fields
            )
        except SandboxGone:
            if not (self._state.path / "runs" / canonical_run_id(run_id)).is_dir():
                raise
            raise SandboxGone("The sandbox is not running, so its commands have ended.") from None


def _sendable(command: object) -> str:
    """Text that can be sent as UTF-8; the holder checks the rest."""
    if not isinstance(command, str):
        raise RunRefused("The command must be text.", code="command_invalid")
    try:
        command.encode()
    except UnicodeEncodeError:
        raise RunRefused("The command is not valid Unicode.", code="command_invalid") from None
    return command
