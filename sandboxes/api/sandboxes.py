"""Routes of sandboxes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from accounts.access import visible_team_ids
from accounts.api import bearer_async
from accounts.models import Team, User
from gcportal.errors import NotFound

from .. import actions, history
from ..lookup import get_sandbox
from ..models import Sandbox
from .parameters import Cursor, IdempotencyKey, Limit, SandboxId, Text, Wait
from .schemas import SandboxIn, SandboxOut, SandboxPage, SandboxStateName, sandbox_out
from .waiting import until

router = Router(tags=["Sandboxes"])
# 202 while a worker has yet to do it, 200 when nothing is left to do
DONE_OR_GOING_ON = {200: SandboxOut, 202: SandboxOut}


@router.post("/sandboxes", response={201: SandboxOut}, operation_id="create_sandbox")
def create_sandbox(
    request: HttpRequest, body: SandboxIn, idempotency_key: IdempotencyKey = None
) -> Any:
    """Ask for a sandbox. It is `creating` at first: `GET …/{id}?wait=60` waits for it to run."""
    user: User = request.auth  # type: ignore[attr-defined]
    made = actions.create_sandbox(
        user,
        provider=body.provider,
        name=body.name,
        config=body.config,
        ttl_seconds=body.ttl_seconds,
        team=_team(user, body.team),
        idempotency_key=idempotency_key,
    )
    return Status(201, sandbox_out(made))


def _team(user: User, wanted: str | None) -> Team | None:
    if wanted is None:
        return None
    try:
        key = uuid.UUID(wanted)
    except ValueError:
        key = None
    if key not in visible_team_ids(user):
        raise NotFound("There is no such team.", code="team_not_found")
    return Team.objects.get(pk=key)


@router.get("/sandboxes", response=SandboxPage, operation_id="list_sandboxes")
def list_sandboxes(
    request: HttpRequest,
    state: Annotated[
        SandboxStateName | None, Query(description="deleted ones if asked for")
    ] = None,
    provider: Annotated[str, Query(pattern=r"^[a-z0-9_-]{0,64}$")] = "",
    text: Text = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> SandboxPage:
    """Sandboxes of your teams, newest first; without deleted ones unless `state=deleted`."""
    filters = history.SandboxFilters(state=state or "", provider=provider, text=text)
    page = history.sandboxes(request.auth, filters, cursor or None, limit)  # type: ignore[attr-defined]
    return SandboxPage(
        items=[sandbox_out(found) for found in page.items],
        next_cursor=page.next_cursor,
        previous_cursor=page.previous_cursor,
    )


@router.get(
    "/sandboxes/{sandbox_id}",
    response=SandboxOut,
    auth=bearer_async,
    operation_id="get_sandbox",
)
async def read_sandbox(request: HttpRequest, sandbox_id: SandboxId, wait: Wait = 0) -> SandboxOut:
    """One sandbox. With `wait`, as soon as it is neither creating, starting, stopping, deleting."""
    read = partial(get_sandbox, request.auth, sandbox_id)  # type: ignore[attr-defined]
    found = await until(read, lambda s: not s.settling, lambda s: f"sandbox/{s.pk}", wait)
    return sandbox_out(found)


def _act(request: HttpRequest, pk: str, action: Callable[[User, Sandbox], None]) -> Any:
    user: User = request.auth  # type: ignore[attr-defined]
    sandbox = get_sandbox(user, pk)
    action(user, sandbox)
    return Status(202 if sandbox.settling else 200, sandbox_out(sandbox))


@router.post(
    "/sandboxes/{sandbox_id}/start", response=DONE_OR_GOING_ON, operation_id="start_sandbox"
)
def start_sandbox(request: HttpRequest, sandbox_id: SandboxId) -> Any:
    """Start a stopped sandbox with its files. One that runs is left alone."""
    return _act(request, sandbox_id, actions.start_sandbox)


@router.post("/sandboxes/{sandbox_id}/stop", response=DONE_OR_GOING_ON, operation_id="stop_sandbox")
def stop_sandbox(request: HttpRequest, sandbox_id: SandboxId) -> Any:
    """Stop a sandbox and keep its files. One that is stopped is left alone."""
    return _act(request, sandbox_id, actions.stop_sandbox)


@router.delete("/sandboxes/{sandbox_id}", response=DONE_OR_GOING_ON, operation_id="delete_sandbox")
def delete_sandbox(request: HttpRequest, sandbox_id: SandboxId) -> Any:
    """Delete a sandbox with its files, in whatever state it is. Its history stays."""
    return _act(request, sandbox_id, actions.delete_sandbox)
