"""API tokens: random, shown once, stored as a digest.

A token is ``gcp_`` and 43 characters; its SHA-256 is looked up by an index. It needs no salt or
slow hash, since it holds 256 random bits.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from .models import ApiToken, User

PREFIX = "gcp_"
USE_RESOLUTION = timedelta(minutes=1)


def digest_of(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    """A fresh token text."""
    return PREFIX + secrets.token_urlsafe(32)


def user_for_token(token: str) -> User | None:
    """The active user of a valid token; ``None`` for any other text."""
    if not token.startswith(PREFIX) or len(token) > 100:
        return None
    now = timezone.now()
    found = (
        ApiToken.objects.select_related("user")
        .filter(digest=digest_of(token), revoked_at=None, user__is_active=True)
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .first()
    )
    if found is None:
        return None
    if found.last_used_at is None or now - found.last_used_at > USE_RESOLUTION:
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found.user
