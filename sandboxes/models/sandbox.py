"""Sandbox: one machine at a provider (the row outlives the machine), and its timeline."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.access import visible_teams
from accounts.models import Team, User
from gcportal.ids import uuid7

from ..states import SANDBOX_MOVES, SETTLING, SandboxState, sources

# How long each settling state may take before the sweep ends it, in seconds.
SETTLE_LIMITS = {
    SandboxState.CREATING: 180,
    SandboxState.STARTING: 120,
    SandboxState.STOPPING: 120,
}


class SandboxQuerySet(models.QuerySet["Sandbox"]):
    """Lists and single objects alike are asked for through ``visible_to``."""

    def visible_to(self, user: User) -> SandboxQuerySet:
        """Sandboxes of the teams in which the person may look."""
        return self.filter(team_id__in=visible_teams(user))

    def present(self) -> SandboxQuerySet:
        """Without those that were deleted."""
        return self.exclude(state=SandboxState.DELETED)

    def with_people(self) -> SandboxQuerySet:
        """With what lists and pages show of each."""
        return self.select_related("owner", "team")


class Sandbox(models.Model):
    """One machine at a provider.

    ``state`` moves only through ``move``. ``worker`` and ``lease_until`` say who is settling
    it; a lease that ran out is anybody's. ``ref`` is the provider's own id.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="sandboxes")
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="sandboxes")
    name = models.CharField(max_length=80)
    provider = models.CharField(max_length=64)
    config = models.JSONField(default=dict)
    state = models.CharField(
        max_length=16, choices=SandboxState.choices, default=SandboxState.CREATING
    )
    reason_code = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    ref = models.CharField(max_length=200, blank=True)
    host = models.CharField(max_length=200, blank=True)
    isolation = models.CharField(max_length=32, blank=True)
    ttl_seconds = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    lease_owner = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)

    objects = SandboxQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "sandboxes"
        indexes = [
            models.Index(fields=["team", "-id"], name="sandbox_team"),
            models.Index(
                fields=["changed_at"],
                name="sandbox_settling",
                condition=Q(state__in=["creating", "starting", "stopping", "deleting"]),
            ),
            models.Index(
                fields=["expires_at"], name="sandbox_expiring", condition=Q(state="running")
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("sandbox", args=[self.pk])

    @property
    def settling(self) -> bool:
        """Whether a worker has yet to bring it to rest."""
        return self.state in SETTLING

    @property
    def running(self) -> bool:
        """Whether commands can be run in it now."""
        return self.state == SandboxState.RUNNING

    @property
    def settle_deadline(self) -> datetime | None:
        """When the sweep gives up on the present settling state; deletes are never given up."""
        limit = SETTLE_LIMITS.get(SandboxState(self.state))
        return self.changed_at + timedelta(seconds=limit) if limit else None

    def is_own(self, user: User) -> bool:
        """Whether the person made it."""
        return self.owner_id == user.pk

    @classmethod
    def move(cls, pk: uuid.UUID, to: SandboxState, **fields: Any) -> bool:
        """Move to a state if the table of moves allows it from the present one.

        Returns False when somebody else was faster or the move isn't allowed.
        """
        fields = {"reason": "", "reason_code": "", **fields}
        rows = cls.objects.filter(pk=pk, state__in=sources(SANDBOX_MOVES, to))
        return rows.update(state=to, changed_at=timezone.now(), **fields) == 1


class SandboxEvent(models.Model):
    """One line of a sandbox's timeline: what happened, by whom, why."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    sandbox = models.ForeignKey(Sandbox, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=32)
    text = models.CharField(max_length=500)
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["sandbox", "-id"], name="event_sandbox")]

    def __str__(self) -> str:
        return self.text
