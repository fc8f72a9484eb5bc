"""Health of providers, as seen from each worker host."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from gcportal.aio import run_db, submit
from gcportal.notify import tell

from . import instances, registry
from .contract import HealthReport
from .models import ProviderHealth
from .runtime import duty


@shared_task(name="providers.tasks.check_providers")
def check_providers(**_: Any) -> None:
    """Look after every provider from this host now."""
    submit(check_all())


@duty(60)
async def check_all() -> None:
    """Check each provider and write down what it says."""
    for name in registry.KINDS:
        report = await instances.provider(name).check()
        if await run_db(write_report, name, report):
            await tell(["providers"])


def write_report(name: str, report: HealthReport) -> bool:
    """Store a report; True when it says something else than the one before."""
    now = timezone.now()
    row, made = ProviderHealth.objects.get_or_create(
        provider=name,
        host=settings.WORKER_HOST,
        defaults={"ok": report.ok, "code": report.code, "summary": report.summary},
    )
    news = made or (row.ok, row.code, row.summary) != (report.ok, report.code, report.summary)
    if not made and row.ok != report.ok:
        row.since = now
    row.ok, row.code, row.summary = report.ok, report.code, report.summary[:500]
    row.facts, row.checked_at = dict(report.facts), now
    row.save()
    return news
