"""The page that creates a sandbox."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.access import teams_where
from accounts.http import SignedInRequest
from accounts.roles import Action
from gcportal.errors import Forbidden, InvalidInput
from providers import registry

from .. import actions
from ..forms import SandboxForm
from .dashboard import provider_health
from .shared import go


@require_http_methods(["GET", "HEAD", "POST"])
def sandbox_new(request: SignedInRequest) -> HttpResponse:
    """The form made from the provider's model, and what it creates."""
    teams = teams_where(request.user, Action.CREATE)
    if not teams:
        raise Forbidden("Your role doesn't let you create sandboxes.")
    wanted = request.POST.get("provider") or request.GET.get("provider") or ""
    kinds = registry.catalogue()
    kind = next((kind for kind in kinds if kind.name == wanted), kinds[0])
    form = SandboxForm(request.POST or None, kind=kind, teams=teams)
    if request.method == "POST" and form.is_valid():
        try:
            sandbox = actions.create_sandbox(request.user, **form.wish())
        except InvalidInput as error:
            form.take_errors(error)
        else:
            return go(request, sandbox)
    context = {"form": form, "kind": kind, "kinds": kinds, "health": provider_health()}
    return render(request, "sandboxes/new.html", context, status=422 if form.errors else 200)
