"""Creating requests that may be repeated: one key, one object, per person."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction

from accounts.models import IdempotencyKey, User
from gcportal.errors import Conflict, InvalidInput

M = TypeVar("M", bound=models.Model)


def once(
    user: User, key: str | None, request: dict[str, Any], model: type[M], create: Callable[[], M]
) -> M:
    """Create, unless the same key has created before: then that object.

    Must be called inside the transaction of the creation. Two at once: the second waits for
    the first's unique row and then finds its object.

    Raises ``Conflict`` (``idempotency_key_reused``) when the key came with another request.
    """
    if key is None:
        return create()
    if not 1 <= len(key) <= 200 or not key.isprintable():
        raise InvalidInput(
            "An Idempotency-Key has 1 to 200 printable characters.", code="idempotency_key_invalid"
        )
    text = json.dumps(request, sort_keys=True, default=str)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    found = _find(user, key)
    if found is None:
        try:
            with transaction.atomic():
                row = IdempotencyKey.objects.create(
                    user=user, key=key, fingerprint=fingerprint, object_id=uuid.UUID(int=0)
                )
        except IntegrityError:
            found = _find(user, key)
        else:
            made = create()
            IdempotencyKey.objects.filter(pk=row.pk).update(object_id=made.pk)
            return made
    if found is None or found.fingerprint != fingerprint:
        raise Conflict(
            "This Idempotency-Key was used for another request. Take a new one.",
            code="idempotency_key_reused",
        )
    return model._default_manager.get(pk=found.object_id)


def _find(user: User, key: str) -> IdempotencyKey | None:
    return IdempotencyKey.objects.filter(user=user, key=key).first()
