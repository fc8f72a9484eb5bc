"""The follower's side of the database: claim a command, store output, write down its end.

Every write is fenced: it names the lease and the offsets it builds on. A worker that was thought
dead and comes back finds that it may no longer write, and stops.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from gcportal.notify import changed
from providers.contract import RunSpec, Stream
from providers.models import Worker
from providers.runtime import WORKER_ID

from ..models import Command, OutputChunk
from ..models.command import STREAM_CODES
from ..states import ACTIVE, CommandState
from ..topics import command_topics


@dataclass(frozen=True, slots=True)
class Job:
    """A command that this worker has claimed."""

    command: Command
    provider: str
    ref: str
    spec: RunSpec

    @property
    def head_limit(self) -> int:
        """Bytes of a stream that are kept from its beginning; the limit's rest is for its end."""
        return self.command.output_limit // 2


def claim(pk: uuid.UUID) -> Job | None:
    """Take the lease of an active command; ``None`` if it isn't to be had."""
    rows = Command.objects.filter(pk=pk)
    if not rows.filter(state=CommandState.QUEUED, lease_owner=None).update(
        state=CommandState.STARTING, lease_owner=WORKER_ID
    ):
        dead = Q(lease_owner=None) | ~Q(lease_owner__in=Worker.objects.alive().values("pk"))
        if not rows.filter(dead, state__in=ACTIVE).update(lease_owner=WORKER_ID):
            return None
        rows.filter(state=CommandState.QUEUED).update(state=CommandState.STARTING)
    command = rows.select_related("sandbox").get()
    spec = RunSpec(
        run_id=command.pk.hex,
        command=command.command,
        working_dir=command.working_dir or None,
        environment=json.loads(command.environment_secret),
        timeout=command.timeout_seconds,
        stdin=command.stdin_open,
        output_limit=command.output_limit,
    )
    return Job(command, command.sandbox.provider, command.sandbox.ref, spec)


@dataclass(slots=True)
class Progress:
    """Where the streams stand: ``seen`` in the sandbox, ``stored`` in the database."""

    seen: dict[Stream, int]
    stored: dict[Stream, int]
    gaps: dict[Stream, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, command: Command) -> Progress:
        """Go on where the database stands."""
        stored: dict[Stream, int] = {
            "stdout": command.stdout_stored,
            "stderr": command.stderr_stored,
        }
        return cls(dict(stored), stored)

    def fields(self) -> dict[str, int]:
        """The command's columns."""
        values = {f"{stream}_bytes": offset for stream, offset in self.seen.items()}
        values |= {f"{stream}_stored": offset for stream, offset in self.stored.items()}
        for stream, (start, end) in self.gaps.items():
            values |= {f"{stream}_gap_start": start, f"{stream}_gap_end": end}
        return values


def _mine(command: Command) -> Any:
    return Command.objects.filter(pk=command.pk, lease_owner=WORKER_ID, state__in=ACTIVE)


def mark_running(command: Command, started_at: Any) -> bool:
    """Say that it runs; False when it is to be cancelled instead."""
    with transaction.atomic():
        moved = _mine(command).filter(state=CommandState.STARTING)
        if moved.update(state=CommandState.RUNNING, started_at=started_at):
            changed(*command_topics(command))
            return True
    return not Command.objects.filter(pk=command.pk, state=CommandState.CANCELLING).exists()


def store(
    command: Command, before: dict[Stream, int], progress: Progress, pieces: list[OutputChunk]
) -> bool:
    """Add pieces of output and move the offsets on; False when the lease is lost."""
    with transaction.atomic():
        fence = {f"{stream}_stored": offset for stream, offset in before.items()}
        if not _mine(command).filter(**fence).update(**progress.fields()):
            return False
        OutputChunk.objects.bulk_create(pieces)
    return True


def finish(
    command: Command,
    before: dict[Stream, int],
    progress: Progress,
    pieces: list[OutputChunk],
    cuts: dict[Stream, int],
    **outcome: Any,
) -> bool:
    """Store the last pieces and the outcome in one transaction; False when the lease is lost.

    ``cuts``: for streams over the limit, where the kept tail begins; what lies between the
    head and there is dropped.
    """
    with transaction.atomic():
        fence = {f"{stream}_stored": offset for stream, offset in before.items()}
        if pieces:
            OutputChunk.objects.bulk_create(pieces, ignore_conflicts=True)
        for stream, start in cuts.items():
            progress.gaps[stream] = _drop_middle(command, stream, start)
        rows = _mine(command).filter(**fence)
        outcome.setdefault("ended_at", timezone.now())
        if not rows.update(lease_owner=None, **progress.fields(), **outcome):
            transaction.set_rollback(True)
            return False
        if command.stdin_bytes:
            command.inputs.all().delete()
        for name, value in (progress.fields() | outcome).items():
            setattr(command, name, value)
        changed(*command_topics(command))
    return True


def _drop_middle(command: Command, stream: Stream, start: int) -> tuple[int, int]:
    """Delete what is stored between the head and ``start``; the gap that this leaves."""
    head = command.output_limit // 2
    beyond = OutputChunk.objects.filter(
        command=command, stream=STREAM_CODES[stream], offset__gte=head
    )
    beyond.filter(offset__lt=start).delete()
    first = beyond.order_by("offset").values_list("offset", flat=True).first()
    return head, start if first is None else first


def piece(command: Command, stream: Stream, offset: int, data: bytes) -> OutputChunk:
    """An output row, not yet saved."""
    return OutputChunk(command_id=command.pk, stream=STREAM_CODES[stream], offset=offset, data=data)
