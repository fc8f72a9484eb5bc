"""The first page: what runs, what ran, and whether the providers are well."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from accounts.access import teams_where
from accounts.http import SignedInRequest
from accounts.roles import Action
from providers import registry
from providers.models import ProviderHealth, Worker

from ..history import CommandFilters, commands
from ..models import Sandbox
from ..states import SandboxState
from .shared import show, team_topics

RUNNING_SHOWN = 12
RECENT_SHOWN = 10


@require_safe
def dashboard(request: SignedInRequest) -> HttpResponse:
    """Running sandboxes, recent commands, provider health."""
    active = Sandbox.objects.visible_to(request.user).with_people()
    active = active.exclude(
        state__in=[SandboxState.DELETED, SandboxState.STOPPED, SandboxState.FAILED]
    )
    found = list(active.order_by("-pk")[: RUNNING_SHOWN + 1])
    context = {
        "running": found[:RUNNING_SHOWN],
        "more_running": len(found) > RUNNING_SHOWN,
        "recent": commands(request.user, CommandFilters(), limit=RECENT_SHOWN).items,
        "any_sandbox": bool(found) or Sandbox.objects.visible_to(request.user).exists(),
        "may_create": bool(teams_where(request.user, Action.CREATE)),
        "health": provider_health(),
        "topics": f"{team_topics(request.user)} providers",
    }
    return show(request, "dashboard", context)


def provider_health() -> list[dict]:
    """Each provider with its latest reports; those of hosts without a worker don't count."""
    hosts = set(Worker.objects.alive().values_list("host", flat=True))
    reports: dict[str, list[ProviderHealth]] = {}
    for row in ProviderHealth.objects.order_by("host"):
        if row.host in hosts:
            reports.setdefault(row.provider, []).append(row)
    return [
        {"kind": kind, "reports": reports.get(kind.name, []), "workers": bool(hosts)}
        for kind in registry.catalogue()
    ]
