"""Requests as views see them."""

from __future__ import annotations

from django.http import HttpRequest

from .models import User


class SignedInRequest(HttpRequest):
    """A request whose user is a person: login is required everywhere unless a view says else."""

    user: User
