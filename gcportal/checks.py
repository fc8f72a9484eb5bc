"""System checks: wrong settings are named with a hint, before anything is served."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register()
def check_settings(**_: Any) -> list[CheckMessage]:
    """Settings that the portal can't work with."""
    return [*_isolation(), *_encryption(), *_redis(), *_times(), *_hosts()]


def _isolation() -> list[CheckMessage]:
    if settings.LOCAL_ISOLATION in ("auto", "none"):
        return []
    hint = "Use auto, or none to allow local sandboxes without isolation."
    return [Error("LOCAL_ISOLATION is neither auto nor none.", hint=hint, id="gcportal.E001")]


def _encryption() -> list[CheckMessage]:
    try:
        for key in settings.FIELD_ENCRYPTION_KEY:
            Fernet(key)
    except (ValueError, TypeError):
        hint = (
            "Make one: python -c 'from cryptography.fernet import Fernet; "
            "print(Fernet.generate_key().decode())'"
        )
        message = "FIELD_ENCRYPTION_KEY holds something that is no Fernet key."
        return [Error(message, hint=hint, id="gcportal.E002")]
    return []


def _redis() -> list[CheckMessage]:
    if urlsplit(settings.REDIS_URL).scheme in ("redis", "rediss", "unix"):
        return []
    hint = "Write redis://host:6379/0, rediss://… or unix:///path/to/socket."
    return [Error("REDIS_URL has an unknown scheme.", hint=hint, id="gcportal.E003")]


def _times() -> list[CheckMessage]:
    names = (
        "SANDBOX_DEFAULT_TTL_SECONDS",
        "SANDBOX_MAX_TTL_SECONDS",
        "COMMAND_MAX_TIMEOUT_SECONDS",
        "COMMAND_OUTPUT_LIMIT_BYTES",
    )
    wrong = [name for name in names if getattr(settings, name) < 1]
    found: list[CheckMessage] = [
        Error(
            f"{name} must be at least 1.", hint="Leave it out for the default.", id="gcportal.E004"
        )
        for name in wrong
    ]
    if settings.SANDBOX_DEFAULT_TTL_SECONDS > settings.SANDBOX_MAX_TTL_SECONDS:
        message = "SANDBOX_DEFAULT_TTL_SECONDS is above SANDBOX_MAX_TTL_SECONDS; the latter holds."
        hint = "Lower the default or raise the maximum."
        found.append(Warning(message, hint=hint, id="gcportal.W001"))
    return found


def _hosts() -> list[CheckMessage]:
    if "*" not in settings.ALLOWED_HOSTS or settings.DEBUG:
        return []
    hint = "Name the hosts under which people reach the portal."
    return [Warning("ALLOWED_HOSTS allows every host.", hint=hint, id="gcportal.W002")]
