"""What workers do. Tasks take ids, may run twice, and hand the waiting to the process's loop."""

from __future__ import annotations

import uuid
from typing import Any

from celery import shared_task

from gcportal.aio import run_db, submit
from providers import instances
from providers.contract import ProviderError

from . import reconcile, sweep, work
from .following import feed, follow
from .following.follower import CANCEL_GRACE_SECONDS
from .models import Command
from .settling import settle
from .states import CommandState

__all__ = ["reconcile"]


@shared_task(name=work.SETTLE_SANDBOX)
def settle_sandbox(pk: str, **_: Any) -> None:
    """Bring a sandbox to rest."""
    submit(settle(uuid.UUID(pk)))


@shared_task(name=work.START_COMMAND)
def start_command(pk: str, **_: Any) -> None:
    """Start a command, or go on following one whose worker died."""
    submit(follow(uuid.UUID(pk)))


@shared_task(name=work.CANCEL_COMMAND)
def cancel_command(pk: str, **_: Any) -> None:
    """Have the sandbox end a command."""
    submit(_cancel(uuid.UUID(pk)))


@shared_task(name=work.DELIVER_INPUT)
def deliver_input(pk: str, **_: Any) -> None:
    """Carry waiting input to a command."""
    submit(feed(uuid.UUID(pk)))


@shared_task(name="sandboxes.tasks.sweep")
def sweep_all(**_: Any) -> None:
    """Hand out again what a crash left."""
    sweep.sweep()


@shared_task(name="sandboxes.tasks.prune")
def prune(**_: Any) -> None:
    """Forget what nobody needs any more."""
    sweep.prune()


async def _cancel(pk: uuid.UUID) -> None:
    rows = Command.objects.select_related("sandbox").filter(pk=pk, state=CommandState.CANCELLING)
    command = await run_db(rows.first)
    if command is None:
        return
    try:
        session = await instances.session(command.sandbox.provider, command.sandbox.ref)
        await session.cancel_run(pk.hex, CANCEL_GRACE_SECONDS)
    except ProviderError:
        pass  # not started yet (its follower sees the state) or gone (its follower ends it)
