"""Sign-up rules for django-allauth."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up is closed unless the operator opens it."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.ALLOW_SIGN_UP
