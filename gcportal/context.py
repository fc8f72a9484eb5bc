"""What every page's template sees as ``portal``."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

THEMES = {"light", "dark"}


def portal(request: HttpRequest) -> dict[str, Any]:
    """The chosen theme, the server's clock, and whether people may sign up."""
    theme = request.COOKIES.get("theme", "")
    return {
        "portal": {
            "theme": theme if theme in THEMES else "",
            "now": timezone.now().isoformat(timespec="milliseconds"),
            "sign_up": settings.ALLOW_SIGN_UP,
        }
    }
