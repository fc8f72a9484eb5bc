"""Access is asked here: which teams a person sees, and what they may do there."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from gcportal.errors import Forbidden

from .models import Membership, Team, User
from .roles import Action, allows, viewing_roles


def visible_team_ids(user: User) -> list[uuid.UUID]:
    """Teams whose sandboxes and commands the person sees; none once deactivated."""
    return [row["team_id"] for row in visible_teams(user)]


def visible_teams(user: User) -> QuerySet[Membership, Any]:
    """``visible_team_ids`` as a subquery."""
    memberships = Membership.objects.filter(
        user_id=user.pk, user__is_active=True, role__in=viewing_roles()
    )
    return memberships.values("team_id")


def role_in(user: User, team_id: uuid.UUID) -> str | None:
    """The person's role in a team, or ``None`` for a stranger."""
    memberships = Membership.objects.filter(user_id=user.pk, team_id=team_id, user__is_active=True)
    return memberships.values_list("role", flat=True).first()


def may(user: User, action: Action, team_id: uuid.UUID, *, own: bool = False) -> bool:
    """Whether the person may do this in the team, to a thing that is their own or not."""
    return allows(role_in(user, team_id), action, own=own)


def require(user: User, action: Action, team_id: uuid.UUID, *, own: bool = False) -> None:
    """Raise ``Forbidden`` unless the person may do this."""
    if not may(user, action, team_id, own=own):
        raise Forbidden(f"Your role in this team doesn't let you do this ({action.label.lower()}).")


def default_team(user: User) -> Team:
    """The team in which the person works unless another is named: the oldest one joined."""
    return Team.objects.filter(memberships__user=user).order_by("memberships__created_at")[0]


def teams_where(user: User, action: Action) -> Iterable[Team]:
    """Teams in which the person may do this to a thing of their own."""
    memberships = Membership.objects.filter(user=user).select_related("team")
    return [m.team for m in memberships if allows(m.role, action, own=True)]
