"""The list of sandboxes, one sandbox's page, and what can be done with it."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_POST, require_safe

from accounts.access import teams_where
from accounts.http import SignedInRequest
from accounts.roles import Action
from gcportal.errors import InvalidInput
from providers import registry

from .. import actions
from ..forms import RunForm
from ..history import CommandFilters, SandboxFilters, commands, sandboxes
from ..lookup import get_sandbox
from ..states import SandboxState
from .commands import output_start
from .shared import answer, config_facts, go, reasons, show, team_topics, why_not_cancel

HISTORY_SHOWN = 15
EVENTS_SHOWN = 30


@require_safe
def sandbox_list(request: SignedInRequest) -> HttpResponse:
    """All sandboxes the person sees: filters, search, cursor."""
    filters = SandboxFilters(
        state=request.GET.get("state", ""),
        provider=request.GET.get("provider", ""),
        text=request.GET.get("q", "").strip(),
    )
    context = {
        "page": sandboxes(request.user, filters, request.GET.get("cursor")),
        "filters": filters,
        "filtered": any((filters.state, filters.provider, filters.text)),
        "states": SandboxState.choices,
        "kinds": registry.catalogue(),
        "may_create": bool(teams_where(request.user, Action.CREATE)),
        "topics": team_topics(request.user),
    }
    return show(request, "sandboxes", context)


@require_safe
def sandbox_page(request: SignedInRequest, pk: str) -> HttpResponse:
    """One sandbox: state, command box, output of the latest command, history, timeline."""
    sandbox = get_sandbox(request.user, pk)
    page = commands(request.user, CommandFilters(sandbox=str(pk)), limit=HISTORY_SHOWN)
    latest = page.items[0] if page.items else None
    context = {
        "sandbox": sandbox,
        "kind": registry.info(sandbox.provider),
        "why": reasons(request.user, sandbox),
        "page": page,
        "command": latest,
        "start": output_start(latest),
        "why_not_cancel": why_not_cancel(request.user, latest) if latest else "",
        "events": sandbox.events.select_related("actor").order_by("-pk")[:EVENTS_SHOWN],
        "earlier": list(dict.fromkeys(command.command for command in page.items)),
        "config": config_facts(sandbox),
        "topics": f"sandbox/{sandbox.pk}",
    }
    return show(request, "sandbox", context)


@require_POST
def sandbox_start(request: SignedInRequest, pk: str) -> HttpResponse:
    """Start a stopped sandbox."""
    sandbox = get_sandbox(request.user, pk)
    actions.start_sandbox(request.user, sandbox)
    return answer(request, sandbox, f"Starting {sandbox}")


@require_POST
def sandbox_stop(request: SignedInRequest, pk: str) -> HttpResponse:
    """Stop a running sandbox; its files stay."""
    sandbox = get_sandbox(request.user, pk)
    actions.stop_sandbox(request.user, sandbox)
    return answer(request, sandbox, f"Stopping {sandbox}")


@require_POST
def sandbox_delete(request: SignedInRequest, pk: str) -> HttpResponse:
    """Delete a sandbox with its files; its history stays."""
    sandbox = get_sandbox(request.user, pk)
    actions.delete_sandbox(request.user, sandbox)
    return answer(request, sandbox, f"Deleting {sandbox}")


@require_POST
def sandbox_run(request: SignedInRequest, pk: str) -> HttpResponse:
    """Run a command and show its page. (With JavaScript the socket does this.)"""
    sandbox = get_sandbox(request.user, pk)
    form = RunForm(request.POST)
    if not form.is_valid():
        raise InvalidInput(" ".join(form.problems()), fields=form.fields_in_error())
    return go(request, actions.run_command(request.user, sandbox, **form.wish()))
