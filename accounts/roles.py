"""Who may do what: one table, asked everywhere (pages, API, sockets, admin, tasks)."""

from __future__ import annotations

from django.db import models


class Role(models.TextChoices):
    """A person's role in a team."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    OPERATOR = "operator", "Operator"
    MEMBER = "member", "Member"
    VIEWER = "viewer", "Viewer"
    AUDITOR = "auditor", "Auditor"


class Action(models.TextChoices):
    """What can be done with a team's sandboxes."""

    VIEW = "view", "See"
    CREATE = "create", "Create sandboxes"
    RUN = "run", "Run commands"
    MANAGE = "manage", "Start, stop and delete"


_MANAGERS = {Role.OWNER, Role.ADMIN, Role.OPERATOR}

# action -> roles that may do it to any sandbox of the team
TEAM_RIGHTS: dict[Action, set[Role]] = {
    Action.VIEW: {*_MANAGERS, Role.MEMBER, Role.VIEWER},
    Action.CREATE: {*_MANAGERS, Role.MEMBER},
    Action.RUN: _MANAGERS,
    Action.MANAGE: _MANAGERS,
}
# action -> further roles that may do it to what they made themselves
OWN_RIGHTS: dict[Action, set[Role]] = {Action.RUN: {Role.MEMBER}, Action.MANAGE: {Role.MEMBER}}


def allows(role: str | None, action: Action, *, own: bool) -> bool:
    """Whether a role permits an action on a thing of the team, made by the person or not."""
    if role is None:
        return False
    return role in TEAM_RIGHTS[action] or (own and role in OWN_RIGHTS.get(action, ()))


def viewing_roles() -> list[str]:
    """Roles that see a team's sandboxes and commands."""
    return [str(role) for role in TEAM_RIGHTS[Action.VIEW]]
