"""What pages share: live fragments, answers to actions, and what a person may do now."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.access import role_in, visible_team_ids
from accounts.models import User
from accounts.roles import Action, Role, allows
from providers import registry

from ..models import Command, Sandbox
from ..states import SANDBOX_MOVES, SandboxState


def by_htmx(request: HttpRequest) -> bool:
    """Whether a script asks, which wants a piece instead of a page."""
    return request.headers.get("HX-Request") == "true"


def show(request: HttpRequest, page: str, context: dict[str, Any]) -> HttpResponse:
    """A page, or with ``?fragment=live`` only its live part (``sandboxes/_<page>.html``)."""
    fragment = request.GET.get("fragment") == "live"
    response = render(request, f"sandboxes/{'_' if fragment else ''}{page}.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


def answer(request: HttpRequest, to: Any, text: str) -> HttpResponse:
    """What a mutation answers: to a script that it should look again, else a redirect."""
    if not by_htmx(request):
        messages.success(request, text)
        return redirect(to)
    events = {"portal:toast": {"text": text}, "portal:refresh": {}}
    return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(events)})


def go(request: HttpRequest, to: Any, text: str = "") -> HttpResponse:
    """A redirect, which a script follows as a whole page."""
    response = redirect(to)
    if text:
        messages.success(request, text)
    if by_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": response["Location"]})
    return response


def team_topics(user: User) -> str:
    """The topics on which a page hangs that shows things of all the person's teams."""
    return " ".join(f"team/{pk}" for pk in visible_team_ids(user))


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why something can't be done, for each verb; empty where it can."""

    run: str = ""
    start: str = ""
    stop: str = ""
    delete: str = ""


def _no_right(role: str, verb: str) -> str:
    label = Role(role).label if role in Role.values else "Your role"
    return (
        f"{label}s of this team can't {verb.removesuffix(' in')}."
        if role != Role.MEMBER
        else (f"Members can only {verb} sandboxes that they made.")
    )


def reasons(user: User, sandbox: Sandbox) -> Reasons:
    """What this person can't do with the sandbox now, and why."""
    role = role_in(user, sandbox.team_id) or ""
    own = sandbox.is_own(user)
    runs = allows(role, Action.RUN, own=own)
    manages = allows(role, Action.MANAGE, own=own)
    return Reasons(
        run=_why_not_run(sandbox) if runs else _no_right(role, "run commands in"),
        start=_why_not_start(sandbox) if manages else _no_right(role, "start"),
        stop=_why_not_stop(sandbox) if manages else _no_right(role, "stop"),
        delete=_why_not_delete(sandbox) if manages else _no_right(role, "delete"),
    )


def _label(sandbox: Sandbox) -> str:
    return SandboxState(sandbox.state).label.lower()


def _why_not_run(sandbox: Sandbox) -> str:
    if sandbox.running:
        return ""
    if sandbox.settling and sandbox.state != SandboxState.DELETING:
        return f"The sandbox is {_label(sandbox)}. Wait a moment."
    if sandbox.state == SandboxState.STOPPED:
        return "The sandbox is stopped. Start it to run commands."
    return f"The sandbox is {_label(sandbox)}. Commands need a running one."


def _cannot_pause(sandbox: Sandbox) -> str:
    kind = registry.info(sandbox.provider)
    if kind is None:
        return f"The provider {sandbox.provider} is not installed here."
    return "" if kind.capabilities.stop_start else kind.capabilities.stop_start.reason


def _why_not_start(sandbox: Sandbox) -> str:
    if sandbox.state == SandboxState.STOPPED:
        return _cannot_pause(sandbox)
    return f"Only a stopped sandbox can be started; this one is {_label(sandbox)}."


def _why_not_stop(sandbox: Sandbox) -> str:
    if sandbox.running:
        return _cannot_pause(sandbox)
    return f"Only a running sandbox can be stopped; this one is {_label(sandbox)}."


def _why_not_delete(sandbox: Sandbox) -> str:
    if SandboxState.DELETING in SANDBOX_MOVES[SandboxState(sandbox.state)]:
        return ""
    return f"The sandbox is {_label(sandbox)}."


def why_not_cancel(user: User, command: Command) -> str:
    """Why this person can't cancel the command; empty when they can or it has ended."""
    role = role_in(user, command.team_id) or ""
    own = command.user_id == user.pk or command.sandbox.is_own(user)
    return "" if allows(role, Action.RUN, own=own) else _no_right(role, "cancel commands in")


def config_facts(sandbox: Sandbox) -> list[dict[str, str]]:
    """The sandbox's configuration in words. Of variables only the names are shown."""
    kind = registry.info(sandbox.provider)
    known = kind.config_model.model_fields if kind else {}
    facts = []
    for name, value in sandbox.config.items():
        info = known.get(name)
        extra = info.json_schema_extra if info else None
        unit = extra.get("unit", "") if isinstance(extra, dict) else ""
        label = (info and info.title) or name.replace("_", " ").capitalize()
        facts.append({"label": label, "value": _in_words(value, str(unit))})
    return facts


def _in_words(value: Any, unit: str) -> str:
    if isinstance(value, bool):
        return "On" if value else "Off"
    if isinstance(value, (int, float)):
        number = f"{value:,}"
        return f"{number} {unit}" if unit and unit != "processes" else number
    if isinstance(value, (dict, list)):
        return ", ".join(map(str, value)) or "None"
    return str(value) if value not in (None, "") else "None"
