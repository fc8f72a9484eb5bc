"""What a crash left: found in the database, handed out again. Safe to run anywhere, any time."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import IdempotencyKey
from gcportal.celery import send
from gcportal.notify import changed
from providers.models import Worker

from . import work
from .actions.sandbox import expire_sandbox
from .models import Command, CommandInput, Sandbox
from .states import ACTIVE, SETTLING, CommandState, SandboxState
from .timeline import note
from .topics import sandbox_topics

# Work younger than this is still on its normal way through the queue.
PATIENCE = timedelta(seconds=3)
CANCEL_PATIENCE = timedelta(seconds=10)
BATCH = 500


def sweep() -> None:
    """One round of everything."""
    now = timezone.now()
    alive = list(Worker.objects.alive(now).values_list("pk", "host"))
    workers, hosts = [pk for pk, _ in alive], {"", *(host for _, host in alive)}
    _commands(now, workers, hosts)
    _inputs(hosts)
    _sandboxes(now, workers, hosts)
    _deadlines(now)
    Worker.objects.filter(seen_at__lt=now - timedelta(hours=1)).delete()


def _commands(now: datetime, workers: list[UUID], hosts: set[str]) -> None:
    orphaned = Q(lease_owner=None) | ~Q(lease_owner__in=workers)
    waiting = Command.objects.filter(orphaned, state__in=ACTIVE, created_at__lt=now - PATIENCE)
    for pk, host in waiting.values_list("pk", "sandbox__host")[:BATCH]:
        if host in hosts:
            send(work.START_COMMAND, pk, host=host)
    stuck = Command.objects.filter(
        state=CommandState.CANCELLING, lease_owner__in=workers, created_at__lt=now - CANCEL_PATIENCE
    )
    for pk, host in stuck.values_list("pk", "sandbox__host")[:BATCH]:
        if host in hosts:
            send(work.CANCEL_COMMAND, pk, host=host)


def _inputs(hosts: set[str]) -> None:
    waiting = CommandInput.objects.filter(command__state__in=ACTIVE)
    rows = waiting.values_list("command_id", "command__sandbox__host").distinct()[:BATCH]
    for pk, host in rows:
        if host in hosts:
            send(work.DELIVER_INPUT, pk, host=host)


def _sandboxes(now: datetime, workers: list[UUID], hosts: set[str]) -> None:
    free = Q(lease_owner=None) | Q(lease_until__lt=now) | ~Q(lease_owner__in=workers)
    waiting = Sandbox.objects.filter(free, state__in=SETTLING, changed_at__lt=now - PATIENCE)
    for sandbox in waiting[:BATCH]:
        if sandbox.settle_deadline and now > sandbox.settle_deadline:
            _give_up(sandbox)
        elif sandbox.host in hosts:
            send(work.SETTLE_SANDBOX, sandbox.pk, host=sandbox.host)


@transaction.atomic
def _give_up(sandbox: Sandbox) -> None:
    ends = {
        SandboxState.CREATING: SandboxState.FAILED,
        SandboxState.STARTING: SandboxState.STOPPED,
        SandboxState.STOPPING: SandboxState.LOST,
    }
    was = SandboxState(sandbox.state)
    reason = f"{was.label} took longer than its limit: no worker could finish it."
    rows = Sandbox.objects.filter(pk=sandbox.pk, state=was, changed_at=sandbox.changed_at)
    if rows.update(
        state=ends[was],
        reason=reason,
        reason_code="deadline_passed",
        changed_at=timezone.now(),
        lease_owner=None,
    ):
        note(sandbox, "gave_up", reason)
        changed(*sandbox_topics(sandbox))


def _deadlines(now: datetime) -> None:
    over = Sandbox.objects.filter(state=SandboxState.RUNNING, expires_at__lt=now)
    for sandbox in over[:BATCH]:
        expire_sandbox(sandbox)


def prune() -> None:
    """Forget what nobody needs any more."""
    IdempotencyKey.objects.filter(created_at__lt=timezone.now() - timedelta(days=2)).delete()
    CommandInput.objects.exclude(command__state__in=ACTIVE).delete()
