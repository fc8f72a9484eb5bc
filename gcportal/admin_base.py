"""What every model's admin stands on: quick on a million rows, and read-only by default."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet, UUIDField
from django.http import HttpRequest

from .errors import PortalError

COUNT_LIMIT = 2_000
SEARCH_DEPTH = 100_000


class BoundedPaginator(Paginator):
    """Counts no further than ``COUNT_LIMIT``: a list ends there, filters lead to the rest."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return len(rows.order_by("-pk").values_list("pk", flat=True)[:COUNT_LIMIT])


class BoundedAdmin(admin.ModelAdmin):
    """Newest rows first, by key. Searches and filters look at the newest 100,000 rows."""

    paginator = BoundedPaginator
    show_full_result_count = False
    ordering = ("-pk",)
    list_per_page = 50
    list_max_show_all = 0
    # relations that hold an id to search for, beside the row's own
    search_ids: tuple[str, ...] = ()
    search_help_text = "An id, or a text; texts are searched for in the newest 100,000 rows."
    hidden: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).defer(*self.hidden)
        if not self._narrows(request):
            return rows
        oldest = rows.order_by("-pk").values_list("pk", flat=True)[SEARCH_DEPTH : SEARCH_DEPTH + 1]
        found = list(oldest)
        return rows.filter(pk__gte=found[0]) if found else rows

    def _narrows(self, request: HttpRequest) -> bool:
        match = request.resolver_match
        on_list = bool(match and match.url_name and match.url_name.endswith("_changelist"))
        text = request.GET.get("q", "")
        return on_list and _as_uuid(text) is None and bool(set(request.GET) - {"p", "o", "e"})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        wanted = _as_uuid(search_term)
        if wanted is None:
            return super().get_search_results(request, queryset, search_term)
        names = [name for name in self.search_ids if queryset.filter(**{name: wanted}).exists()]
        if not names and isinstance(self.opts.pk, UUIDField):
            names = ["pk"]
        return (queryset.filter(**{names[0]: wanted}) if names else queryset.none()), False


class ReadOnlyAdmin(BoundedAdmin):
    """Rows that are the portal's own record: seen, never edited here."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _as_uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text.strip())
    except ValueError:
        return None


def act_on_each(
    request: HttpRequest, rows: Iterable[Model], act: Callable[[Any], object], done: str
) -> None:
    """Do it to each row as the signed-in person, with the portal's own permission check.

    A refusal (say, of a site administrator who isn't in the team) is a message, not an error.
    """
    fine = 0
    for row in rows:
        try:
            act(row)
            fine += 1
        except PortalError as error:
            messages.error(request, f"{row}: {error.message}")
    if fine:
        messages.success(request, f"{done}: {fine}.")
