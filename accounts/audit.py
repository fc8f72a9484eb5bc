"""Writing the audit trail: in the transaction of the change, without secrets."""

from __future__ import annotations

import uuid
from typing import Any, Protocol

from .models import AuditEvent, User


class _Named(Protocol):
    pk: Any


def record(
    verb: str,
    *,
    actor: User | None,
    team_id: uuid.UUID | None,
    target: _Named | None = None,
    **data: Any,
) -> None:
    """Write one event.

    Args:
        verb: namespaced, ``sandbox.created``.
        actor: ``None`` for the portal itself (a deadline, a sweep).
        target: the object it was done to.
        data: JSON-able facts; never a secret.
    """
    AuditEvent.objects.create(
        verb=verb,
        actor=actor,
        actor_name=str(actor) if actor else "",
        team_id=team_id,
        object_id=target.pk if target else None,
        object_name=str(target)[:200] if target else "",
        data=data,
    )
