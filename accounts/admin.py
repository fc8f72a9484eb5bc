"""Admin of people, teams, tokens, audit."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from gcportal.admin_base import BoundedAdmin, ReadOnlyAdmin, act_on_each

from .actions import create_user, revoke_token
from .audit import record
from .models import ApiToken, AuditEvent, IdempotencyKey, Membership, Team, User


class NewUserForm(forms.ModelForm):
    """A person with an e-mail address and a first password."""

    password = forms.CharField(widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))
    site_admin = forms.BooleanField(required=False, help_text="May use this administration.")

    class Meta:
        model = User
        fields = ("email",)

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].strip().lower()
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError(f"There is a user {email} already.")
        return email

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.cleaned_data.get("email", "")))
        return password

    def save(self, commit: bool = True) -> User:
        data = self.cleaned_data
        self.instance = create_user(data["email"], data["password"], admin=data["site_admin"])
        return self.instance

    def save_m2m(self) -> None:
        """There are no further relations."""


@admin.register(User)
class UserAdmin(BoundedAdmin):
    """People are made by the same action as everywhere; passwords are never shown or set here."""

    list_display = ("email", "first_name", "last_name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("email", "first_name", "last_name")
    fields = (
        "email",
        "first_name",
        "last_name",
        "is_active",
        "is_staff",
        "is_superuser",
        "date_joined",
        "last_login",
    )
    readonly_fields = ("email", "date_joined", "last_login")
    hidden = ("password",)

    def get_form(self, request: HttpRequest, obj: Any = None, *args: Any, **kwargs: Any) -> Any:
        return super().get_form(request, obj, *args, **kwargs) if obj else NewUserForm

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ("email", "password", "site_admin")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # nobody locks themselves out
        own = ("is_active", "is_staff", "is_superuser") if obj == request.user else ()
        return (*self.readonly_fields, *own) if obj else ()

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if change:  # a new one is written by its form
            obj.save(update_fields=form.changed_data)
            names = {"changed": sorted(form.changed_data)}
            record("user.changed", actor=_actor(request), team_id=None, target=obj, **names)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Team)
class TeamAdmin(ReadOnlyAdmin):
    """Teams."""

    list_display = ("name", "personal", "created_at")
    list_filter = ("personal",)
    search_fields = ("name",)
    fields = ("id", "name", "personal", "created_at")


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Who is in which team. Read-only: site administrators don't let themselves into teams here."""

    list_display = ("user", "team", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "team")
    search_fields = ("user__email", "team__name")
    search_ids = ("team", "user")
    fields = ("user", "team", "role", "created_at")


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Tokens, to be revoked. Neither the token nor its digest is shown."""

    list_display = ("name", "prefix", "user", "created_at", "expires_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__email")
    search_ids = ("user",)
    fields = (*list_display, "last_used_at")
    hidden = ("digest",)
    actions = ("revoke",)

    @admin.action(description="Revoke the selected tokens")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """They are useless from now on."""
        actor = _actor(request)
        act_on_each(request, queryset, lambda token: revoke_token(actor, token), "Tokens revoked")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Who did what to what."""

    list_display = ("created_at", "actor_name", "verb", "object_name", "team")
    list_select_related = ("team",)
    search_fields = ("verb", "actor_name", "object_name")
    search_ids = ("object_id", "team")
    fields = (
        "id",
        "created_at",
        "actor",
        "actor_name",
        "verb",
        "team",
        "object_id",
        "object_name",
        "data",
    )


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """Creating requests that were taken once."""

    list_display = ("key", "user", "object_id", "created_at")
    list_select_related = ("user",)
    search_fields = ("key", "user__email")
    search_ids = ("object_id",)
    fields = list_display
    hidden = ("fingerprint",)


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
