"""The history, one command's page with its output, and what can be done with it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from accounts.access import visible_team_ids
from accounts.http import SignedInRequest
from accounts.models import User
from gcportal.aio import run_db
from gcportal.errors import NotFound

from .. import actions, output
from ..history import CommandFilters, commands
from ..lookup import get_command
from ..models import Command, Sandbox
from ..states import CommandState
from .shared import answer, go, reasons, show, team_topics, why_not_cancel

# A page begins this far from the end of each stream; more is a download.
SHOWN_BYTES = 2 * 1024 * 1024


def output_start(command: Command | None) -> dict[str, int]:
    """From which byte of each stream a page shows the output."""
    if command is None:
        return {"stdout": 0, "stderr": 0}
    return {
        "stdout": max(0, command.stdout_stored - SHOWN_BYTES),
        "stderr": max(0, command.stderr_stored - SHOWN_BYTES),
    }


def _recent_sandboxes(user: User) -> QuerySet[Sandbox]:
    return Sandbox.objects.visible_to(user).only("name", "state").order_by("-pk")[:200]


@require_safe
def history(request: SignedInRequest) -> HttpResponse:
    """Every command of the person's teams: filters, cursor."""
    filters = CommandFilters(
        person=request.GET.get("person", ""),
        sandbox=request.GET.get("sandbox", ""),
        state=request.GET.get("state", ""),
        text=request.GET.get("q", "").strip(),
    )
    teams = visible_team_ids(request.user)
    context = {
        "page": commands(request.user, filters, request.GET.get("cursor")),
        "filters": filters,
        "filtered": any((filters.person, filters.sandbox, filters.state, filters.text)),
        "states": CommandState.choices,
        "people": User.objects.filter(memberships__team__in=teams).distinct().order_by("email"),
        "sandboxes": _recent_sandboxes(request.user),
        "topics": team_topics(request.user),
    }
    return show(request, "history", context)


def _context(request: SignedInRequest, command: Command) -> dict:
    return {
        "command": command,
        "sandbox": command.sandbox,
        "start": output_start(command),
        "why": reasons(request.user, command.sandbox),
        "why_not_cancel": why_not_cancel(request.user, command),
        "variables": sorted(command.environment),
        "topics": f"command/{command.pk} sandbox/{command.sandbox_id}",
    }


@require_safe
def command_page(request: SignedInRequest, pk: str) -> HttpResponse:
    """One command: its line, who, when, where, and all of its output."""
    command = get_command(request.user, pk)
    context = _context(request, command)
    if request.GET.get("fragment") == "head":
        return render(request, "components/command_head.html", context)
    if "fragment" not in request.GET:
        for stream in ("stdout", "stderr"):
            tail = output.tail(command, stream)
            context[f"{stream}_tail"] = tail.decode(errors="replace").replace("\0", "␀")
    return show(request, "command", context)


@require_POST
def command_cancel(request: SignedInRequest, pk: str) -> HttpResponse:
    """End a running command."""
    command = get_command(request.user, pk)
    actions.cancel_command(request.user, command)
    return answer(request, command, "Cancelling" if not command.ended else "It has ended")


@require_POST
def command_rerun(request: SignedInRequest, pk: str) -> HttpResponse:
    """Run the same line again in the same sandbox."""
    command = get_command(request.user, pk)
    return go(request, actions.rerun_command(request.user, command))


@require_POST
def command_input(request: SignedInRequest, pk: str) -> HttpResponse:
    """Feed a line to a running command, or close its input."""
    command = get_command(request.user, pk)
    if request.POST.get("end"):
        actions.send_input(request.user, command, b"", eof=True)
        return answer(request, command, "Input closed")
    line = request.POST.get("line", "").encode() + b"\n"
    actions.send_input(request.user, command, line)
    return answer(request, command, "Sent")


@require_safe
def command_output(request: SignedInRequest, pk: str, stream: str) -> StreamingHttpResponse:
    """All stored bytes of one stream, as a file."""
    command = get_command(request.user, pk)
    if stream not in ("stdout", "stderr"):
        raise NotFound("A command has two streams: stdout and stderr.")
    slug = re.sub(r"[^A-Za-z0-9]+", "-", str(command)).strip("-")[:40] or "command"
    return StreamingHttpResponse(
        _stored(command, stream),
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{slug}.{stream}.txt"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )


async def _stored(command: Command, stream: str) -> AsyncIterator[bytes]:
    at = 0
    while piece := await run_db(output.read, command.pk, stream, at):
        if piece.offset > at:
            yield f"\n[… {piece.offset - at} bytes were not kept …]\n".encode()
        yield piece.data
        at = piece.end
