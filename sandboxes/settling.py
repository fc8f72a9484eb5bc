"""Bringing a sandbox to rest: whatever its row wishes, one leased worker carries out."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from gcportal.aio import run_db
from gcportal.notify import changed
from providers import instances
from providers.contract import (
    ProviderError,
    ProviderTimeout,
    SandboxConfig,
    SandboxGone,
    SandboxSession,
    SandboxStorageLost,
)
from providers.models import Worker
from providers.runtime import WORKER_ID

from .models import Command, Sandbox
from .states import SETTLING, SandboxState
from .timeline import note
from .topics import sandbox_topics

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=150)
# Seconds that each verb may take, above the contract's own limits.
LIMITS = {
    SandboxState.CREATING: 90,
    SandboxState.STARTING: 90,
    SandboxState.STOPPING: 60,
    SandboxState.DELETING: 140,
}
DRAIN_SECONDS, DRAIN_STEP = 15.0, 0.1


async def settle(pk: uuid.UUID) -> None:
    """Carry out what the row wishes until it wishes nothing more.

    Returns at once when another worker holds the lease. Wishes that change meanwhile (delete
    while creating) are seen when the present step is done.
    """
    while (sandbox := await run_db(_claim, pk)) is not None:
        with structlog.contextvars.bound_contextvars(sandbox_id=str(pk)):
            outcome = await _carry_out(sandbox)
        if not await run_db(_conclude, sandbox, outcome):
            return  # failed in a way that may pass: the sweep tries again


def _claim(pk: uuid.UUID) -> Sandbox | None:
    now = timezone.now()
    free = (
        Q(lease_owner=None)
        | Q(lease_until__lt=now)
        | ~Q(lease_owner__in=Worker.objects.alive(now).values("pk"))
    )
    rows = Sandbox.objects.filter(free, pk=pk, state__in=SETTLING)
    if not rows.update(lease_owner=WORKER_ID, lease_until=now + LEASE):
        return None
    return Sandbox.objects.get(pk=pk)


async def _carry_out(sandbox: Sandbox) -> dict[str, Any] | None:
    """The columns to write, or ``None`` to try again later."""
    state = SandboxState(sandbox.state)
    try:
        async with asyncio.timeout(LIMITS[state]):
            return await _STEPS[state](sandbox)
    except ProviderError as error:
        log.warning("settling_failed", state=state, code=error.code, error=error.message)
        return _after_error(state, error)
    except TimeoutError:
        late = ProviderTimeout("The provider took too long to answer.")
        log.warning("settling_failed", state=state, code=late.code)
        return _after_error(state, late)


async def _create(sandbox: Sandbox) -> dict[str, Any]:
    config = SandboxConfig(
        sandbox_id=sandbox.pk.hex,
        provider_config=sandbox.config,
        environment_vars=sandbox.config.get("environment") or {},
    )
    session = await instances.provider(sandbox.provider).create_sandbox(config)
    facts = await session.describe()
    return _running(sandbox) | {
        "ref": session.sandbox_id,
        "host": settings.WORKER_HOST,
        "isolation": facts.get("isolation", ""),
    }


async def _start(sandbox: Sandbox) -> dict[str, Any]:
    session = await _session(sandbox)
    await session.wake_up()
    facts = await session.describe()
    return _running(sandbox) | {"isolation": facts.get("isolation", "")}


async def _stop(sandbox: Sandbox) -> dict[str, Any]:
    session = await _session(sandbox)
    try:
        await session.terminate()
    except SandboxStorageLost as error:
        return {"state": SandboxState.LOST, "reason_code": error.code, "reason": error.message}
    except SandboxGone:
        pass
    await instances.forget(sandbox.provider, sandbox.ref)
    code = sandbox.reason_code
    reason = "Its time to live was over." if code == "expired" else ""
    return {
        "state": SandboxState.STOPPED,
        "stopped_at": timezone.now(),
        "reason_code": code,
        "reason": reason,
    }


async def _delete(sandbox: Sandbox) -> dict[str, Any]:
    session = await _session(sandbox)
    try:
        await session.terminate()
        await _drain(sandbox)
    except SandboxGone:
        pass
    await session.delete()
    await instances.forget(sandbox.provider, sandbox.ref)
    return {"state": SandboxState.DELETED, "deleted_at": timezone.now()}


async def _drain(sandbox: Sandbox) -> None:
    """Give followers time to fetch the last output before the journals go."""
    active = Command.objects.active().filter(sandbox=sandbox).exclude(lease_owner=None)
    for _ in range(int(DRAIN_SECONDS / DRAIN_STEP)):
        if not await run_db(active.exists):
            return
        await asyncio.sleep(DRAIN_STEP)


_STEPS = {
    SandboxState.CREATING: _create,
    SandboxState.STARTING: _start,
    SandboxState.STOPPING: _stop,
    SandboxState.DELETING: _delete,
}


async def _session(sandbox: Sandbox) -> SandboxSession:
    # A create that never came back has no ref; the portal's id is its label.
    return await instances.session(sandbox.provider, sandbox.ref or sandbox.pk.hex)


def _running(sandbox: Sandbox) -> dict[str, Any]:
    now = timezone.now()
    return {
        "state": SandboxState.RUNNING,
        "started_at": now,
        "expires_at": now + timedelta(seconds=sandbox.ttl_seconds),
        "stopped_at": None,
    }


def _after_error(state: SandboxState, error: ProviderError) -> dict[str, Any] | None:
    to = {
        SandboxState.CREATING: SandboxState.FAILED,
        SandboxState.STARTING: SandboxState.STOPPED,
    }.get(state)
    if isinstance(error, SandboxStorageLost) and state != SandboxState.CREATING:
        to = SandboxState.LOST
    if to is None:
        return None
    return {"state": to, "reason_code": error.code, "reason": error.message[:500]}


def _conclude(sandbox: Sandbox, outcome: dict[str, Any] | None) -> bool:
    """Write the outcome unless the wish has changed, release the lease; False: try later."""
    mine = Sandbox.objects.filter(pk=sandbox.pk, lease_owner=WORKER_ID)
    if outcome is None:
        mine.update(lease_owner=None)
        return False
    now = timezone.now()
    columns = {"reason": "", "reason_code": "", **outcome, "changed_at": now}
    with transaction.atomic():
        if mine.filter(state=sandbox.state).update(lease_owner=None, **columns):
            label = SandboxState(outcome["state"]).label
            reason = f": {columns['reason']}" if columns["reason"] else ""
            note(sandbox, outcome["state"], f"{label}{reason}")
        else:
            made = {k: v for k, v in outcome.items() if k in ("ref", "host", "isolation")}
            mine.update(lease_owner=None, **made)
        changed(*sandbox_topics(sandbox))
    return True
