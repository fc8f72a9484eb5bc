"""Create, start, stop and delete sandboxes. Each writes the wish; a worker settles it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.access import default_team, require
from accounts.audit import record
from accounts.models import Team, User
from accounts.roles import Action
from gcportal.celery import enqueue
from gcportal.errors import Conflict
from gcportal.notify import changed

from .. import validation, work
from ..idempotency import once
from ..models import Sandbox
from ..states import SandboxState
from ..timeline import note
from ..topics import sandbox_topics


@transaction.atomic
def create_sandbox(
    user: User,
    *,
    provider: str,
    name: str = "",
    config: dict[str, Any] | None = None,
    ttl_seconds: int | None = None,
    team: Team | None = None,
    idempotency_key: str | None = None,
) -> Sandbox:
    """Write the wish for a sandbox.

    Args:
        config: values for the provider's Pydantic model.
        ttl_seconds: how long it may run after each start; the site's default for ``None``.
        team: the owner; the person's default team for ``None``.

    Raises ``InvalidInput``, ``Forbidden``, ``Conflict``.
    """
    team = team or default_team(user)
    require(user, Action.CREATE, team.pk)
    kind = validation.provider_named(provider)
    values = {
        "provider": kind.name,
        "name": validation.sandbox_name(name, f"{kind.name} {timezone.now():%d %b %H:%M}"),
        "config": validation.config_for(kind.config_model, config),
        "ttl_seconds": validation.ttl(ttl_seconds),
    }

    def create() -> Sandbox:
        sandbox = Sandbox.objects.create(team=team, owner=user, **values)
        note(sandbox, "created", f"Created at {kind.label}", user)
        record("sandbox.created", actor=user, team_id=team.pk, target=sandbox, provider=kind.name)
        _hand_over(sandbox)
        return sandbox

    request = {"team": team.pk, "name": name, **{k: v for k, v in values.items() if k != "name"}}
    return once(user, idempotency_key, request, Sandbox, create)


def start_sandbox(user: User, sandbox: Sandbox) -> None:
    """Start a stopped sandbox; one that runs or is starting is left alone."""
    if sandbox.state in (SandboxState.RUNNING, SandboxState.STARTING):
        require(user, Action.MANAGE, sandbox.team_id, own=sandbox.is_own(user))
        return
    _wish(user, sandbox, SandboxState.STARTING, "started")


def stop_sandbox(user: User, sandbox: Sandbox) -> None:
    """Stop a running sandbox, keeping its files; one that is stopped is left alone."""
    if sandbox.state in (SandboxState.STOPPED, SandboxState.STOPPING):
        require(user, Action.MANAGE, sandbox.team_id, own=sandbox.is_own(user))
        return
    _wish(user, sandbox, SandboxState.STOPPING, "stopped")


def delete_sandbox(user: User, sandbox: Sandbox) -> None:
    """Delete a sandbox with its files, whatever its state; its history stays."""
    if sandbox.state in (SandboxState.DELETED, SandboxState.DELETING):
        require(user, Action.MANAGE, sandbox.team_id, own=sandbox.is_own(user))
        return
    _wish(user, sandbox, SandboxState.DELETING, "deleted")


@transaction.atomic
def expire_sandbox(sandbox: Sandbox) -> None:
    """Stop a sandbox whose time to live is over. The portal's own act."""
    if Sandbox.move(sandbox.pk, SandboxState.STOPPING, reason_code="expired"):
        lived = timedelta(seconds=sandbox.ttl_seconds)
        note(sandbox, "expired", f"Stopping: its time to live ({lived}) is over")
        record("sandbox.expired", actor=None, team_id=sandbox.team_id, target=sandbox)
        _hand_over(sandbox)


@transaction.atomic
def _wish(user: User, sandbox: Sandbox, to: SandboxState, done: str) -> None:
    require(user, Action.MANAGE, sandbox.team_id, own=sandbox.is_own(user))
    moved = Sandbox.move(sandbox.pk, to)
    sandbox.refresh_from_db()
    if not moved:
        if sandbox.state == to:
            return  # somebody asked for the same a moment ago
        state = SandboxState(sandbox.state).label.lower()
        raise Conflict(f"The sandbox can't be {done}: it is {state}.", code="sandbox_state")
    note(sandbox, done, f"{to.label} asked for", user)
    record(f"sandbox.{done}", actor=user, team_id=sandbox.team_id, target=sandbox)
    _hand_over(sandbox)


def _hand_over(sandbox: Sandbox) -> None:
    enqueue(work.SETTLE_SANDBOX, sandbox.pk, host=sandbox.host)
    changed(*sandbox_topics(sandbox))
