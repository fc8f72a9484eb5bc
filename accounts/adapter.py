"""Sign-in by allauth: who may sign up, and what a new person gets."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from .actions import ensure_personal_team
from .models import User


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up only where the operator allows it; every new person starts with a personal team."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.ALLOW_SIGN_UP)

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        saved = super().save_user(request, user, form, commit=commit)
        if commit:
            ensure_personal_team(saved)
        return saved
