"""This process as a worker: its row, its heartbeat, and what else it does on the side.

A lease in the database names a worker; it holds as long as that worker's heartbeat is fresh.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from gcportal.aio import run_db, spawn, submit
from gcportal.ids import uuid7

from . import liveness
from .models import Worker

Duty = Callable[[], Coroutine[Any, Any, None]]

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 1.5
WORKER_ID: uuid.UUID = uuid7()
# What else each worker does regularly: (seconds between, coroutine function).
_duties: list[tuple[float, Duty]] = []
_stopping = False


def duty(
    seconds: float,
) -> Callable[[Duty], Duty]:
    """Have every worker process await this at start and then every so many seconds."""

    def register(function: Duty) -> Duty:
        _duties.append((seconds, function))
        return function

    return register


def start(queues: list[str]) -> None:
    """Begin the heartbeat and the duties. Called once the worker takes tasks."""
    submit(_start(",".join(sorted(queues))))


async def _start(queues: str) -> None:
    spawn(_forever(HEARTBEAT_SECONDS, lambda: _beat(queues)))
    for seconds, function in _duties:
        spawn(_forever(seconds, function))
    liveness.hold(_lock_folder(), WORKER_ID)
    await run_db(bury_the_dead)


async def _forever(seconds: float, function: Duty) -> None:
    while not _stopping:
        try:
            await function()
        except DatabaseError as error:
            log.warning("database_unreachable", duty=str(function), error=str(error))
        except Exception:
            log.exception("duty_failed", duty=str(function))
        await asyncio.sleep(seconds)


async def _beat(queues: str) -> None:
    if not _stopping:
        await run_db(_write_heartbeat, queues)


def _write_heartbeat(queues: str) -> None:
    now = timezone.now()
    if not Worker.objects.filter(pk=WORKER_ID).update(seen_at=now):
        Worker.objects.create(
            pk=WORKER_ID, host=settings.WORKER_HOST, pid=os.getpid(), queues=queues, seen_at=now
        )


def _lock_folder() -> Path:
    return Path(settings.LOCAL_WORKING_DIR) / ".workers"


def bury_the_dead() -> None:
    """Free at once what workers of this host held that died before this one started."""
    others = Worker.objects.filter(host=settings.WORKER_HOST).exclude(pk=WORKER_ID)
    for worker in others:
        if liveness.is_dead(_lock_folder(), worker.pk):
            log.info("worker_found_dead", worker=str(worker))
            others.filter(pk=worker.pk).delete()
            liveness.forget(_lock_folder(), worker.pk)


def stop() -> None:
    """Give up every lease at once: without its row the worker counts as dead."""
    global _stopping
    _stopping = True
    try:
        Worker.objects.filter(pk=WORKER_ID).delete()
    except DatabaseError as error:
        log.warning("database_unreachable", error=str(error))
