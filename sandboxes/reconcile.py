"""Rows that say "running" against the machines of this host: what died unseen is written down."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from gcportal.aio import run_db
from gcportal.notify import changed
from providers import instances
from providers.contract import ProviderUnreachable, SandboxStatus
from providers.runtime import duty

from .models import Sandbox
from .states import SandboxState
from .timeline import note
from .topics import sandbox_topics

_OUTCOMES = {
    SandboxStatus.STOPPED: (
        SandboxState.STOPPED,
        "processes_ended",
        "Its processes ended outside of the portal: host restarted, or killed. Its files are kept.",
    ),
}
_FILES_LOST = (
    SandboxState.LOST,
    "sandbox_storage_lost",
    "Its files are gone at the provider. It can only be deleted.",
)
_OUTCOMES |= {SandboxStatus.GONE: _FILES_LOST, SandboxStatus.ERROR: _FILES_LOST}


@duty(5)
async def reconcile() -> None:
    """Ask after each running sandbox that belongs to this host."""
    for sandbox in await run_db(_running_here):
        try:
            session = await instances.session(sandbox.provider, sandbox.ref)
            status = await session.status()
        except ProviderUnreachable:
            continue
        if status in _OUTCOMES:
            await instances.forget(sandbox.provider, sandbox.ref)
            await run_db(_write, sandbox, status)


def _running_here() -> list[Sandbox]:
    rows = Sandbox.objects.filter(host=settings.WORKER_HOST, state=SandboxState.RUNNING)
    return list(rows.order_by("changed_at")[:1000])


@transaction.atomic
def _write(sandbox: Sandbox, status: SandboxStatus) -> None:
    to, code, reason = _OUTCOMES[status]
    # changed_at: not if it was stopped and started again since we asked
    rows = Sandbox.objects.filter(
        pk=sandbox.pk, state=SandboxState.RUNNING, changed_at=sandbox.changed_at
    )
    now = timezone.now()
    if rows.update(state=to, reason=reason, reason_code=code, changed_at=now, stopped_at=now):
        note(sandbox, str(to), f"{to.label}: {reason}")
        changed(*sandbox_topics(sandbox))
