"""Admin of sandboxes and commands: what and when, not what is inside.

Site administrators see rows, not output, environment or input. Acting on them takes a role in
the team, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from gcportal.admin_base import ReadOnlyAdmin, act_on_each
from providers import registry

from . import actions
from .models import Command, CommandInput, OutputChunk, Sandbox, SandboxEvent


class ProviderFilter(admin.SimpleListFilter):
    """Filter by kind of provider, without asking the rows which there are."""

    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(found.name, found.label) for found in registry.catalogue()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Sandbox]) -> QuerySet[Sandbox]:
        return queryset.filter(provider=self.value()) if self.value() else queryset


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@admin.register(Sandbox)
class SandboxAdmin(ReadOnlyAdmin):
    """Sandboxes, with the portal's own actions."""

    list_display = ("name", "provider", "state", "team", "owner", "host", "created_at")
    list_filter = ("state", ProviderFilter)
    list_select_related = ("team", "owner")
    search_fields = ("name", "owner__email", "team__name", "ref")
    search_ids = ("team", "owner")
    fields = (
        "id",
        *list_display,
        "reason_code",
        "reason",
        "ref",
        "isolation",
        "ttl_seconds",
        "changed_at",
        "started_at",
        "expires_at",
        "stopped_at",
        "deleted_at",
        "lease_owner",
        "lease_until",
    )
    hidden = ("config",)
    actions = ("start", "stop", "delete_sandboxes")

    @admin.action(description="Start the selected sandboxes")
    def start(self, request: HttpRequest, queryset: QuerySet[Sandbox]) -> None:
        """With their files."""
        self._act(request, queryset, actions.start_sandbox, "Start asked for")

    @admin.action(description="Stop the selected sandboxes")
    def stop(self, request: HttpRequest, queryset: QuerySet[Sandbox]) -> None:
        """Their files stay."""
        self._act(request, queryset, actions.stop_sandbox, "Stop asked for")

    @admin.action(description="Delete the selected sandboxes with their files")
    def delete_sandboxes(self, request: HttpRequest, queryset: QuerySet[Sandbox]) -> None:
        """Their history stays."""
        self._act(request, queryset, actions.delete_sandbox, "Deletion asked for")

    def _act(
        self,
        request: HttpRequest,
        rows: QuerySet[Sandbox],
        action: Callable[[User, Sandbox], None],
        done: str,
    ) -> None:
        actor = _actor(request)
        act_on_each(request, rows, lambda sandbox: action(actor, sandbox), done)


@admin.register(SandboxEvent)
class SandboxEventAdmin(ReadOnlyAdmin):
    """Lines of timelines."""

    list_display = ("at", "sandbox", "kind", "text", "actor")
    list_select_related = ("sandbox", "actor")
    search_fields = ("kind", "text")
    search_ids = ("sandbox",)
    fields = ("id", *list_display)


@admin.register(Command)
class CommandAdmin(ReadOnlyAdmin):
    """Commands; their output and environment are for their team."""

    list_display = ("__str__", "state", "exit_code", "sandbox", "user", "team", "created_at")
    list_filter = ("state",)
    list_select_related = ("sandbox", "user", "team")
    search_fields = ("command",)
    search_ids = ("sandbox", "user")
    fields = (
        "id",
        "team",
        "sandbox",
        "user",
        "timeout_seconds",
        "state",
        "exit_code",
        "signal",
        "reason_code",
        "reason",
        "created_at",
        "started_at",
        "ended_at",
        "stdout_bytes",
        "stderr_bytes",
        "stdout_stored",
        "stderr_stored",
        "stdin_open",
        "stdin_bytes",
        "stdin_taken",
        "output_limit",
    )
    hidden = ("environment_secret",)
    actions = ("cancel",)

    @admin.action(description="Cancel the selected commands")
    def cancel(self, request: HttpRequest, queryset: QuerySet[Command]) -> None:
        """SIGTERM, then SIGKILL."""
        actor = _actor(request)
        act_on_each(
            request, queryset, lambda row: actions.cancel_command(actor, row), "Cancel asked for"
        )


@admin.register(OutputChunk)
class OutputChunkAdmin(ReadOnlyAdmin):
    """Where stored output lies, never what it says."""

    list_display = ("id", "command_id", "stream", "offset")
    list_filter = ("stream",)
    search_ids = ("command",)
    search_fields = ("=id",)
    search_help_text = "The id of a command."
    fields = list_display
    hidden = ("data",)


@admin.register(CommandInput)
class CommandInputAdmin(ReadOnlyAdmin):
    """Input that waits to be taken, never what it says."""

    list_display = ("id", "command_id", "offset", "length", "eof")
    search_ids = ("command",)
    search_fields = ("=id",)
    search_help_text = "The id of a command."
    fields = list_display
    hidden = ("data_secret",)
