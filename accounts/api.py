"""API: who is asking. Every other route's authentication is here too."""

from __future__ import annotations

import uuid

from django.http import HttpRequest
from ninja import Field, Router, Schema

from gcportal.aio import run_db
from gcportal.errors import PortalError

from .models import Membership, User
from .tokens import user_for_token

router = Router(tags=["Me"])


class Unauthenticated(PortalError):
    """The request carries no token, or none that is valid now."""

    code = "token_missing"
    status = 401


def _token_of(request: HttpRequest) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send an API token: Authorization: Bearer gcp_…")
    return token.strip()


def _known(user: User | None) -> User:
    if user is None:
        message = "This API token is unknown, expired or revoked."
        raise Unauthenticated(message, code="token_invalid")
    return user


def bearer(request: HttpRequest) -> User:
    """The person whose token the request carries. Session cookies count for nothing here."""
    return _known(user_for_token(_token_of(request)))


async def bearer_async(request: HttpRequest) -> User:
    """The same for routes that wait: it holds no database connection meanwhile."""
    return _known(await run_db(user_for_token, _token_of(request)))


class TeamRole(Schema):
    """A team and the person's role in it."""

    id: uuid.UUID
    name: str
    personal: bool
    role: str = Field(description="owner, admin, operator, member, viewer or auditor")


class Me(Schema):
    """The person whose token is used."""

    id: uuid.UUID
    email: str
    name: str
    site_admin: bool
    teams: list[TeamRole]


@router.get("/me", response=Me, operation_id="get_me", summary="Who am I?")
def me(request: HttpRequest) -> Me:
    """The person whose token is used, and their teams, the default team first."""
    user: User = request.auth  # type: ignore[attr-defined]
    memberships = Membership.objects.filter(user=user).select_related("team")
    teams = [
        TeamRole(id=m.team.pk, name=m.team.name, personal=m.team.personal, role=m.role)
        for m in memberships.order_by("created_at")
    ]
    return Me(
        id=user.pk, email=user.email, name=str(user), site_admin=user.is_superuser, teams=teams
    )
