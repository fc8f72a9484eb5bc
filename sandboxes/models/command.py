"""Command: one run of a command line, its output in pieces, and what is fed to it."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.access import visible_team_ids
from accounts.models import Team, User
from gcportal.fields import SecretField
from gcportal.ids import uuid7

from ..states import ACTIVE, COMMAND_MOVES, ENDED, CommandState, sources
from .sandbox import Sandbox

STREAM_CODES = {"stdout": 1, "stderr": 2}


class CommandQuerySet(models.QuerySet["Command"]):
    """Lists and single objects alike are asked for through ``visible_to``."""

    def visible_to(self, user: User) -> CommandQuerySet:
        """Commands of the teams in which the person may look."""
        teams = visible_team_ids(user)
        # one team is the usual case, and an equality lets the index serve the order
        return self.filter(team_id=teams[0]) if len(teams) == 1 else self.filter(team_id__in=teams)

    def active(self) -> CommandQuerySet:
        """Those that have not ended."""
        return self.filter(state__in=ACTIVE)

    def with_people(self) -> CommandQuerySet:
        """With what lists and pages show of each."""
        return self.select_related("user", "sandbox")


class Command(models.Model):
    """One run of a command line: who, where, when, output, exit code.

    ``stdout_bytes`` is how much the stream wrote in all; ``stdout_stored`` up to which offset
    it is in the database; between ``stdout_gap_start`` and ``stdout_gap_end`` nothing was
    kept (output limit). The same for stderr. ``lease_owner`` is the worker that follows it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    sandbox = models.ForeignKey(Sandbox, on_delete=models.PROTECT, related_name="commands")
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="commands")
    command = models.TextField()
    working_dir = models.CharField(max_length=4096, blank=True)
    environment_secret = SecretField(default="{}")
    timeout_seconds = models.PositiveIntegerField(null=True, blank=True)
    stdin_open = models.BooleanField(default=True)
    output_limit = models.PositiveBigIntegerField()

    state = models.CharField(
        max_length=16, choices=CommandState.choices, default=CommandState.QUEUED
    )
    exit_code = models.IntegerField(null=True, blank=True)
    signal = models.PositiveSmallIntegerField(null=True, blank=True)
    reason_code = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    stdout_bytes = models.PositiveBigIntegerField(default=0)
    stderr_bytes = models.PositiveBigIntegerField(default=0)
    stdout_stored = models.PositiveBigIntegerField(default=0)
    stderr_stored = models.PositiveBigIntegerField(default=0)
    stdout_gap_start = models.PositiveBigIntegerField(null=True, blank=True)
    stdout_gap_end = models.PositiveBigIntegerField(null=True, blank=True)
    stderr_gap_start = models.PositiveBigIntegerField(null=True, blank=True)
    stderr_gap_end = models.PositiveBigIntegerField(null=True, blank=True)
    stdin_bytes = models.PositiveBigIntegerField(default=0)
    stdin_taken = models.PositiveBigIntegerField(default=0)

    lease_owner = models.UUIDField(null=True, editable=False)

    objects = CommandQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["team", "-id"], name="command_team"),
            models.Index(fields=["team", "user", "-id"], name="command_team_user"),
            models.Index(fields=["sandbox", "-id"], name="command_sandbox"),
            models.Index(fields=["team", "state", "-id"], name="command_team_state"),
            models.Index(
                fields=["lease_owner"],
                name="command_active",
                condition=Q(state__in=["queued", "starting", "running", "cancelling"]),
            ),
        ]

    def __str__(self) -> str:
        first = self.command.strip().split("\n", 1)[0]
        return first if len(first) <= 80 else first[:79] + "…"

    def get_absolute_url(self) -> str:
        return reverse("command", args=[self.pk])

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ENDED

    @property
    def environment(self) -> dict[str, str]:
        """The variables it was given; encrypted at rest, since they tend to hold secrets."""
        return json.loads(self.environment_secret)

    @property
    def duration(self) -> float | None:
        """Seconds it ran, so far or in all; ``None`` before it started."""
        if self.started_at is None:
            return None
        until: datetime = self.ended_at or timezone.now()
        return max(0.0, (until - self.started_at).total_seconds())

    @property
    def truncated(self) -> bool:
        """Whether a part of its output was not kept."""
        return bool(self.stdout_gap_end or self.stderr_gap_end)

    @classmethod
    def move(cls, pk: uuid.UUID, to: CommandState, **fields: Any) -> bool:
        """Move to a state if the table of moves allows it from the present one."""
        rows = cls.objects.filter(pk=pk, state__in=sources(COMMAND_MOVES, to))
        return rows.update(state=to, **fields) == 1


class OutputChunk(models.Model):
    """A piece of one output stream. Pieces neither overlap nor leave holes but the gap."""

    id = models.BigAutoField(primary_key=True)
    command = models.ForeignKey(Command, on_delete=models.CASCADE, related_name="chunks")
    stream = models.PositiveSmallIntegerField(choices=[(1, "stdout"), (2, "stderr")])
    offset = models.PositiveBigIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["command", "stream", "offset"], name="one_chunk")
        ]

    def __str__(self) -> str:
        return f"{self.get_stream_display()} of {self.command_id} from {self.offset}"


class CommandInput(models.Model):
    """Bytes for a command's standard input, kept until the sandbox has taken them."""

    id = models.BigAutoField(primary_key=True)
    command = models.ForeignKey(Command, on_delete=models.CASCADE, related_name="inputs")
    offset = models.PositiveBigIntegerField()
    data_secret = SecretField(blank=True, default="")  # base64: it may be a password
    length = models.PositiveIntegerField()
    eof = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["command", "offset", "eof"], name="one_input")
        ]

    def __str__(self) -> str:
        return f"input of {self.command_id} from {self.offset}"
