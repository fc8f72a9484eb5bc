"""Routes of commands."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from accounts.api import bearer_async
from accounts.models import User
from gcportal.errors import InvalidInput, PortalError

from .. import actions, history
from ..lookup import get_command, get_sandbox
from .parameters import CommandId, Cursor, IdempotencyKey, Limit, SandboxId, Text, Wait
from .schemas import (
    CommandDetail,
    CommandIn,
    CommandOut,
    CommandPage,
    CommandStateName,
    command_detail,
    command_out,
)
from .waiting import until

router = Router(tags=["Commands"])

STDIN_BODY = {
    "requestBody": {
        "required": False,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "data": {"type": "string", "default": ""},
                        "eof": {"type": "boolean", "default": False},
                    },
                    "additionalProperties": False,
                }
            },
        },
    }
}


class BodyMalformed(PortalError):
    """The JSON of an input can't be read."""

    code = "body_malformed"
    status = 400


@router.post(
    "/sandboxes/{sandbox_id}/commands", response={201: CommandDetail}, operation_id="run_command"
)
def run_command(
    request: HttpRequest,
    sandbox_id: SandboxId,
    body: CommandIn,
    idempotency_key: IdempotencyKey = None,
) -> Any:
    """Run a command line in a running sandbox. `GET /commands/{id}?wait=60` waits for its end."""
    user: User = request.auth  # type: ignore[attr-defined]
    sandbox = get_sandbox(user, sandbox_id)
    made = actions.run_command(user, sandbox, idempotency_key=idempotency_key, **body.model_dump())
    return Status(201, command_detail(made))


@router.get("/commands", response=CommandPage, operation_id="list_commands")
def list_commands(
    request: HttpRequest,
    sandbox: Annotated[str, Query(description="id of a sandbox")] = "",
    person: Annotated[str, Query(description="id of who ran it")] = "",
    state: Annotated[CommandStateName | None, Query()] = None,
    text: Text = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> CommandPage:
    """Every command ever run by your teams, newest first."""
    filters = history.CommandFilters(sandbox=sandbox, person=person, state=state or "", text=text)
    page = history.commands(request.auth, filters, cursor or None, limit)  # type: ignore[attr-defined]
    return CommandPage(
        items=[command_out(found) for found in page.items],
        next_cursor=page.next_cursor,
        previous_cursor=page.previous_cursor,
    )


@router.get(
    "/commands/{command_id}",
    response=CommandDetail,
    auth=bearer_async,
    operation_id="get_command",
)
async def read_command(
    request: HttpRequest, command_id: CommandId, wait: Wait = 0
) -> CommandDetail:
    """One command. With `wait`, as soon as it has ended."""
    read = partial(get_command, request.auth, command_id)  # type: ignore[attr-defined]
    found = await until(read, lambda c: c.ended, lambda c: f"command/{c.pk}", wait)
    return command_detail(found)


@router.post("/commands/{command_id}/cancel", response=CommandDetail, operation_id="cancel_command")
def cancel_command(request: HttpRequest, command_id: CommandId) -> CommandDetail:
    """End a command: SIGTERM, then SIGKILL. One that has ended is left alone."""
    user: User = request.auth  # type: ignore[attr-defined]
    command = get_command(user, command_id)
    actions.cancel_command(user, command)
    return command_detail(command)


@router.post(
    "/commands/{command_id}/stdin",
    response=CommandOut,
    operation_id="send_input",
    openapi_extra=STDIN_BODY,
)
def send_input(
    request: HttpRequest,
    command_id: CommandId,
    eof: Annotated[bool, Query(description="close its standard input after these bytes")] = False,
) -> CommandOut:
    """Feed a command's standard input, at most 64 KiB at a time.

    The body is the bytes as they are, unless its type is `application/json`: then it is
    `{"data": "text", "eof": false}`.
    """
    user: User = request.auth  # type: ignore[attr-defined]
    command = get_command(user, command_id)
    data = request.body
    if request.content_type == "application/json":
        data, eof = _json_input(data, eof)
    return command_out(actions.send_input(user, command, data, eof=eof))


def _json_input(body: bytes, eof: bool) -> tuple[bytes, bool]:
    try:
        message = json.loads(body.decode())
        if not isinstance(message, dict) or set(message) - {"data", "eof"}:
            raise InvalidInput('Send {"data": "text", "eof": false}.')
        data, last = message.get("data", ""), message.get("eof", eof)
        if not isinstance(data, str) or not isinstance(last, bool):
            raise InvalidInput("data is a text and eof is true or false.")
        return data.encode(), last
    except ValueError:
        raise BodyMalformed("The body is no valid JSON in UTF-8.") from None
