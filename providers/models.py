"""Workers as the database knows them, and what they report of each provider."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

from gcportal.ids import uuid7

# A worker that hasn't been heard of for so long is dead: what it held is anybody's.
WORKER_SILENCE = timedelta(seconds=6)


class WorkerQuerySet(models.QuerySet["Worker"]):
    """Living and dead workers."""

    def alive(self, now: datetime | None = None) -> WorkerQuerySet:
        """Those heard of lately."""
        return self.filter(seen_at__gte=(now or timezone.now()) - WORKER_SILENCE)


class Worker(models.Model):
    """One life of one worker process. Its heartbeat keeps every lease it holds."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    queues = models.CharField(max_length=500)
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = WorkerQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.host} [{self.pid}]"


class ProviderHealth(models.Model):
    """The latest report of one provider from one host."""

    provider = models.CharField(max_length=64)
    host = models.CharField(max_length=200)
    ok = models.BooleanField()
    code = models.CharField(max_length=64)
    summary = models.CharField(max_length=500)
    facts = models.JSONField(default=dict)
    since = models.DateTimeField(default=timezone.now)
    checked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "provider health"
        constraints = [
            models.UniqueConstraint(fields=["provider", "host"], name="one_health_per_host")
        ]

    def __str__(self) -> str:
        return f"{self.provider} at {self.host}: {self.summary}"
