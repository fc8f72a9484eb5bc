"""Run, repeat, cancel and feed commands."""

from __future__ import annotations

import base64
import json
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.access import require
from accounts.audit import record
from accounts.models import User
from accounts.roles import Action
from gcportal.celery import enqueue
from gcportal.errors import Conflict, InvalidInput
from gcportal.notify import changed

from .. import validation, work
from ..idempotency import once
from ..models import Command, CommandInput, Sandbox
from ..states import ACTIVE, CommandState, SandboxState
from ..topics import command_topics

STDIN_PENDING_LIMIT = 1024 * 1024


@transaction.atomic
def run_command(
    user: User,
    sandbox: Sandbox,
    *,
    command: str,
    working_dir: str | None = None,
    environment: dict[str, str] | None = None,
    timeout: int | None = None,
    stdin: bool = True,
    idempotency_key: str | None = None,
) -> Command:
    """Write the wish to run a command line in a running sandbox.

    Args:
        working_dir: absolute or relative to the home; the home for ``None``.
        timeout: seconds until it is ended; no limit for ``None``.
        stdin: whether ``send_input`` can feed it; otherwise it reads an end of file.

    Raises ``InvalidInput``, ``Forbidden``, ``Conflict`` (``sandbox_not_running``).
    """
    require(user, Action.RUN, sandbox.team_id, own=sandbox.is_own(user))
    values: dict[str, Any] = {
        "command": validation.command_line(command),
        "working_dir": validation.working_dir(working_dir),
        "environment_secret": json.dumps(validation.environment(environment)),
        "timeout_seconds": validation.timeout(timeout),
        "stdin_open": bool(stdin),
    }

    def create() -> Command:
        _require_running(sandbox)
        made = Command.objects.create(
            team_id=sandbox.team_id,
            sandbox=sandbox,
            user=user,
            output_limit=settings.COMMAND_OUTPUT_LIMIT_BYTES,
            **values,
        )
        record(
            "command.run", actor=user, team_id=sandbox.team_id, target=made, sandbox=str(sandbox.pk)
        )
        enqueue(work.START_COMMAND, made.pk, host=sandbox.host)
        changed(*command_topics(made))
        return made

    return once(user, idempotency_key, {"sandbox": sandbox.pk, **values}, Command, create)


def rerun_command(user: User, command: Command) -> Command:
    """Run the same line again, with the same directory, environment and time limit."""
    return run_command(
        user,
        command.sandbox,
        command=command.command,
        working_dir=command.working_dir,
        environment=command.environment,
        timeout=command.timeout_seconds,
        stdin=command.stdin_open,
    )


@transaction.atomic
def cancel_command(user: User, command: Command) -> None:
    """End a command: SIGTERM, then SIGKILL. One that has ended or is being ended is left alone."""
    sandbox = command.sandbox
    own = command.user_id == user.pk or sandbox.is_own(user)
    require(user, Action.RUN, command.team_id, own=own)
    now = timezone.now()
    if Command.objects.filter(pk=command.pk, state=CommandState.QUEUED, lease_owner=None).update(
        state=CommandState.CANCELLED, ended_at=now, reason="Cancelled before it started."
    ):
        acted = True
    else:
        acted = Command.move(command.pk, CommandState.CANCELLING)
        if acted:
            enqueue(work.CANCEL_COMMAND, command.pk, host=sandbox.host)
    command.refresh_from_db()
    if acted:
        record("command.cancelled", actor=user, team_id=command.team_id, target=command)
        changed(*command_topics(command))


@transaction.atomic
def send_input(user: User, command: Command, data: bytes, *, eof: bool = False) -> Command:
    """Feed bytes to a command's standard input, and close it when ``eof``.

    Raises ``Conflict``: ``command_ended``, ``stdin_closed``, ``stdin_full`` (1 MiB is waiting).
    """
    own = command.user_id == user.pk or command.sandbox.is_own(user)
    require(user, Action.RUN, command.team_id, own=own)
    if len(data) > validation.INPUT_LIMIT:
        raise InvalidInput(
            f"At most {validation.INPUT_LIMIT} bytes at a time.", code="input_too_large"
        )
    # taking the row's lock first gives concurrent inputs an order
    rows = Command.objects.filter(pk=command.pk, state__in=ACTIVE, stdin_open=True)
    if not rows.update(stdin_bytes=F("stdin_bytes") + len(data), stdin_open=not eof):
        command.refresh_from_db()
        if command.ended:
            raise Conflict("The command has ended.", code="command_ended")
        raise Conflict("The command's input is closed.", code="stdin_closed")
    command.refresh_from_db()
    if command.stdin_bytes - command.stdin_taken > STDIN_PENDING_LIMIT:
        raise Conflict(
            "The command hasn't read its earlier input yet. Try again later.", code="stdin_full"
        )
    if data or eof:
        CommandInput.objects.create(
            command=command,
            offset=command.stdin_bytes - len(data),
            data_secret=base64.b64encode(data).decode(),
            length=len(data),
            eof=eof,
        )
        record("command.input", actor=user, team_id=command.team_id, target=command, eof=eof)
        enqueue(work.DELIVER_INPUT, command.pk, host=command.sandbox.host)
    return command


def _require_running(sandbox: Sandbox) -> None:
    # Should it stop this very moment, the worker finds that and says so.
    if sandbox.state != SandboxState.RUNNING:
        state = SandboxState(sandbox.state).label.lower()
        raise Conflict(
            f"The sandbox is {state}. Commands need a running one.", code="sandbox_not_running"
        )
