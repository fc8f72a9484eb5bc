"""What changes people, teams and tokens. Pages, API, admin and commands call these."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from gcportal.errors import Conflict, InvalidInput

from .audit import record
from .models import ApiToken, Membership, Team, User
from .roles import Role
from .tokens import digest_of, new_token


@transaction.atomic
def create_user(email: str, password: str | None, *, admin: bool = False) -> User:
    """Make a user with a personal team.

    Raises ``InvalidInput`` for an unusable address or a weak password, ``Conflict`` when the
    address is taken.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
        if password is not None:
            validate_password(password, User(email=email))
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages)) from error
    if User.objects.filter(email__iexact=email).exists():
        raise Conflict(f"There is a user {email} already.", code="email_taken")
    make = User.objects.create_superuser if admin else User.objects.create_user
    try:
        with transaction.atomic():
            user = make(email, password)
    except IntegrityError as error:
        raise Conflict(f"There is a user {email} already.", code="email_taken") from error
    ensure_personal_team(user)
    record("user.created", actor=None, team_id=None, target=user, admin=admin)
    return user


@transaction.atomic
def ensure_personal_team(user: User) -> Team:
    """The person's own team, made if it isn't there."""
    team = Team.objects.filter(personal=True, memberships__user=user).first()
    if team is None:
        team = Team.objects.create(name=f"{user}'s team"[:100], personal=True)
        add_member(team, user, Role.OWNER)
    return team


@transaction.atomic
def add_member(team: Team, user: User, role: str = Role.MEMBER) -> Membership:
    """Put a person into a team, or change the role of one who is in it."""
    membership, _ = Membership.objects.update_or_create(
        team=team, user=user, defaults={"role": role}
    )
    record("team.member_set", actor=None, team_id=team.pk, target=user, role=role)
    return membership


@transaction.atomic
def create_token(
    user: User, name: str = "token", expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """Make an API token. Returns its row and the text, which can't be had again."""
    text = new_token()
    token = ApiToken.objects.create(
        user=user,
        name=name[:100],
        prefix=text[:8],
        digest=digest_of(text),
        expires_at=expires_at,
    )
    record("token.created", actor=user, team_id=None, target=token)
    return token, text


@transaction.atomic
def revoke_token(actor: User | None, token: ApiToken) -> None:
    """Make a token useless from now on. Revoking twice is fine."""
    rows = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    if rows:
        record("token.revoked", actor=actor, team_id=None, target=token)
