"""One follower per running command, all of a process's on its one event loop."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog
from django.db import Error as DatabaseError

from gcportal.aio import run_db
from providers import instances
from providers.contract import (
    STREAMS,
    ProviderError,
    ProviderUnreachable,
    RunExit,
    RunOutput,
    SandboxSession,
    Stream,
)

from ..states import CommandState
from . import records
from .outcome import of_exit, outcome_of
from .pacing import paced
from .recorder import LeaseLost, Recorder

T = TypeVar("T")

log = structlog.get_logger(__name__)

MARK_RUNNING_AFTER = 0.05
CANCEL_GRACE_SECONDS = 5.0
RETRY_SECONDS = (0.2, 1, 2, 5, 10)
_following: set[uuid.UUID] = set()


async def follow(pk: uuid.UUID) -> None:
    """Claim a command, start it if it hasn't been, and follow it to its end.

    Returns at once when another worker has it, or this one already follows it.
    """
    if pk in _following:
        return
    _following.add(pk)
    try:
        job = await _persistently(records.claim, pk)
        if job is not None:
            with structlog.contextvars.bound_contextvars(command_id=str(pk)):
                await _Follower(job).run()
    except LeaseLost:
        log.info("command_lease_lost", command_id=str(pk))
    finally:
        _following.discard(pk)


def following() -> int:
    """How many commands this process follows."""
    return len(_following)


async def _persistently(func: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call into the database until it answers: it may be locked or restarting."""
    attempt = 0
    while True:
        try:
            return await run_db(func, *args, **kwargs)
        except DatabaseError as error:
            log.warning("database_unreachable", error=str(error))
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1


class _Follower:
    def __init__(self, job: records.Job) -> None:
        self.job = job
        self.command = job.command
        self.recorder = Recorder(job, _persistently)
        self._running_mark: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Retry what may pass, end as failed or lost what can't."""
        failures = 0
        while True:
            try:
                session = await instances.session(self.job.provider, self.job.ref)
                await self._start(session)
                await self._follow(session)
                return
            except ProviderUnreachable as error:
                log.warning("provider_unreachable", error=error.message, detail=error.detail)
            except ProviderError as error:
                await self.recorder.finish(outcome_of(self.command, error))
                return
            except LeaseLost:
                raise
            except Exception as error:
                log.exception("follower_failed")
                failures += 1
                if failures >= len(RETRY_SECONDS):
                    await self.recorder.finish(outcome_of(self.command, error))
                    return
            finally:
                if self._running_mark is not None:
                    self._running_mark.cancel()
            await asyncio.sleep(RETRY_SECONDS[failures])

    async def _start(self, session: SandboxSession) -> None:
        # Only a command that was never seen running may be started: then its run id guards it.
        if self.command.state == CommandState.STARTING:
            info = await session.start_run(self.job.spec)
            started_at = datetime.fromtimestamp(info.started_at, UTC)
            self._running_mark = asyncio.create_task(self._mark_running(session, started_at))

    async def _mark_running(self, session: SandboxSession, started_at: datetime) -> None:
        # Short commands are over before anybody could see this state.
        await asyncio.sleep(MARK_RUNNING_AFTER)
        runs = await _persistently(records.mark_running, self.command, started_at)
        self.command.state = CommandState.RUNNING if runs else CommandState.CANCELLING
        if not runs:
            await session.cancel_run(self.job.spec.run_id, CANCEL_GRACE_SECONDS)

    async def _follow(self, session: SandboxSession) -> None:
        events = session.follow_run(self.job.spec.run_id, self.recorder.progress.seen.copy())
        async for batch in paced(events, self.recorder.has_pending):
            for event in batch:
                if isinstance(event, RunOutput):
                    await self.recorder.take(event)
                elif isinstance(event, RunExit):
                    await self._end(session, event)
                    return
            await self.recorder.store_if_due()

    async def _end(self, session: SandboxSession, exit_: RunExit) -> None:
        if self._running_mark is not None:
            self._running_mark.cancel()
        totals: dict[Stream, int] = {"stdout": exit_.stdout_bytes, "stderr": exit_.stderr_bytes}
        if starts := self.recorder.missing(totals):
            await self._tails(session, totals, starts)
        self.recorder.progress.seen.update(totals)
        await self.recorder.finish(of_exit(self.command, exit_), totals)

    async def _tails(
        self, session: SandboxSession, totals: dict[Stream, int], starts: dict[Stream, int]
    ) -> None:
        """Store the last half of the limit of a stream that wrote more than the limit."""
        offsets = {stream: starts.get(stream, totals[stream]) for stream in STREAMS}
        async for event in session.follow_run(self.job.spec.run_id, offsets):
            if isinstance(event, RunOutput):
                await self.recorder.take_tail(event)
