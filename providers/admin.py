"""Admin of workers and provider health."""

from __future__ import annotations

from django.contrib import admin

from gcportal.admin_base import ReadOnlyAdmin

from .models import ProviderHealth, Worker


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    """Worker processes, living and dead."""

    list_display = ("host", "pid", "queues", "started_at", "seen_at")
    search_fields = ("host",)
    fields = ("id", *list_display)


@admin.register(ProviderHealth)
class ProviderHealthAdmin(ReadOnlyAdmin):
    """The latest report of each provider from each host."""

    list_display = ("provider", "host", "ok", "summary", "since", "checked_at")
    list_filter = ("ok",)
    search_fields = ("provider", "host", "summary")
    fields = (*list_display, "code", "facts")
