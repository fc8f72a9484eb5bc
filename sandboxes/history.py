"""Lists of sandboxes and commands: filters and cursors, the same for pages and API.

A cursor is the id of the last row seen. Ids sort by time, so every page is one index range,
whatever its depth, and nothing is counted.
"""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from django.db import models
from django.db.models import Q, QuerySet

from accounts.models import User
from gcportal.errors import InvalidInput

from .models import Command, Sandbox
from .states import CommandState, SandboxState

M = TypeVar("M", bound=models.Model)
PAGE_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """One page, newest first. A cursor is ``None`` where nothing lies beyond."""

    items: list[M] = field(default_factory=list)
    next_cursor: str | None = None
    previous_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class CommandFilters:
    """Empty fields don't filter. ``person`` and ``sandbox`` are ids, ``text`` part of the line."""

    person: str = ""
    sandbox: str = ""
    state: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class SandboxFilters:
    """Empty fields don't filter; ``text`` is a part of the name. Deleted ones only if asked for."""

    state: str = ""
    provider: str = ""
    text: str = ""


def commands(
    user: User, filters: CommandFilters, cursor: str | None = None, limit: int = 50
) -> Page[Command]:
    """The commands of the person's teams. Raises ``InvalidInput`` for a wrong filter or cursor."""
    rows = Command.objects.visible_to(user).with_people()
    if filters.person:
        rows = rows.filter(user_id=_id(filters.person, "person"))
    if filters.sandbox:
        rows = rows.filter(sandbox_id=_id(filters.sandbox, "sandbox"))
    if filters.state:
        rows = rows.filter(state=_choice(filters.state, CommandState, "state"))
    if filters.text:
        rows = rows.filter(command__icontains=_searchable(filters.text))
    # what lists don't show stays in the database
    return paginate(rows.defer("environment_secret"), cursor, limit)


def sandboxes(
    user: User, filters: SandboxFilters, cursor: str | None = None, limit: int = 50
) -> Page[Sandbox]:
    """The sandboxes of the person's teams. Raises ``InvalidInput`` for a wrong filter or cursor."""
    rows = Sandbox.objects.visible_to(user).with_people()
    if filters.state:
        rows = rows.filter(state=_choice(filters.state, SandboxState, "state"))
    else:
        rows = rows.present()
    if filters.provider:
        rows = rows.filter(provider=filters.provider)
    if filters.text:
        rows = rows.filter(name__icontains=_searchable(filters.text))
    return paginate(rows, cursor, limit)


def paginate(rows: QuerySet[M], cursor: str | None, limit: int) -> Page[M]:
    """A page of rows by falling id. ``cursor``: ``None``, or one that a page gave."""
    if not 1 <= limit <= PAGE_LIMIT:
        raise InvalidInput(f"limit is between 1 and {PAGE_LIMIT}.", code="limit_invalid")
    back, bound = _decode(cursor) if cursor else (False, None)
    condition = Q() if bound is None else Q(pk__gt=bound) if back else Q(pk__lt=bound)
    found = list(rows.filter(condition).order_by("pk" if back else "-pk")[: limit + 1])
    more, items = len(found) > limit, found[:limit]
    if back:
        items.reverse()
    if not items:
        return Page()
    older = more or back
    newer = more if back else bound is not None
    return Page(
        items,
        _encode(False, items[-1].pk) if older else None,
        _encode(True, items[0].pk) if newer else None,
    )


def _encode(back: bool, key: uuid.UUID) -> str:
    return base64.urlsafe_b64encode((b"<" if back else b">") + key.bytes).decode().rstrip("=")


def _decode(cursor: str) -> tuple[bool, uuid.UUID]:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if raw[:1] not in (b"<", b">"):
            raise ValueError(cursor)
        return raw[:1] == b"<", uuid.UUID(bytes=raw[1:])
    except (ValueError, TypeError):
        raise InvalidInput(
            "The cursor is wrong. Take it from the list's last answer.", code="cursor_invalid"
        ) from None


def _id(value: str, name: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError:
        raise InvalidInput(f"{name} is an id.", code="filter_invalid") from None


def _choice(value: str, choices: type[models.TextChoices], name: str) -> str:
    if value not in choices.values:
        known = ", ".join(choices.values)
        raise InvalidInput(f"{name} is one of: {known}.", code="filter_invalid")
    return value


def _searchable(text: str) -> str:
    if "\0" in text or len(text) > 1000:
        raise InvalidInput("A search text has at most 1,000 characters.", code="filter_invalid")
    return text
