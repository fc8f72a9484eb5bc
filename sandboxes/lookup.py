"""Single objects, as a person may see them. A stranger gets ``NotFound``, like for no object."""

from __future__ import annotations

import uuid
from typing import Any

from accounts.models import User
from gcportal.errors import NotFound

from .models import Command, Sandbox


def _as_uuid(value: Any) -> uuid.UUID | None:
    if isinstance(value, uuid.UUID):
        return value
    try:
        return uuid.UUID(str(value))
    except ValueError:
        return None


def get_sandbox(user: User, pk: Any) -> Sandbox:
    """The sandbox, deleted ones included. Raises ``NotFound``."""
    key = _as_uuid(pk)
    found = Sandbox.objects.visible_to(user).with_people().filter(pk=key).first() if key else None
    if found is None:
        raise NotFound("There is no such sandbox.", code="sandbox_not_found")
    return found


def get_command(user: User, pk: Any) -> Command:
    """The command with its sandbox and person. Raises ``NotFound``."""
    key = _as_uuid(pk)
    found = Command.objects.visible_to(user).with_people().filter(pk=key).first() if key else None
    if found is None:
        raise NotFound("There is no such command.", code="command_not_found")
    return found
