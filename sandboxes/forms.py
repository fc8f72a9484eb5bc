"""Forms: a new sandbox (made from the provider's Pydantic model), and a command to run."""

from __future__ import annotations

import types
from collections.abc import Iterable
from enum import Enum
from typing import Any, Literal, Union, cast, get_args, get_origin

from django import forms
from django.conf import settings
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from accounts.models import Team
from gcportal.errors import InvalidInput
from providers.registry import ProviderInfo

HOUR, DAY = 3600, 86400
LIFETIMES = (
    (HOUR, "1 hour"),
    (4 * HOUR, "4 hours"),
    (8 * HOUR, "8 hours"),
    (DAY, "1 day"),
    (3 * DAY, "3 days"),
    (7 * DAY, "7 days"),
    (30 * DAY, "30 days"),
)


class EnvironmentField(forms.CharField):
    """``KEY=VALUE`` lines to a dict. Blank lines and ``#`` comments are skipped."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "mono"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, strip=False)
        self.widget.attrs["placeholder"] = "LANG=C.UTF-8\nDEBUG=1"

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return "\n".join(f"{name}={text}" for name, text in value.items())
        return value

    def to_python(self, value: Any) -> Any:
        found: dict[str, str] = {}
        for number, line in enumerate((value or "").splitlines(), 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            name, equals, text = line.partition("=")
            if not equals or not name.strip():
                raise forms.ValidationError(f"Line {number} is not NAME=VALUE.")
            found[name.strip()] = text
        return found


def _inner(annotation: Any) -> tuple[Any, bool]:
    """The type without ``None``, and whether ``None`` is allowed."""
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return kinds[0], len(kinds) < len(get_args(annotation))
    return annotation, False


def _bounds(info: FieldInfo) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for rule in info.metadata:
        for rule_name, option in (("ge", "min_value"), ("le", "max_value")):
            if getattr(rule, rule_name, None) is not None:
                found[option] = getattr(rule, rule_name)
        if getattr(rule, "gt", None) is not None:
            found["min_value"] = rule.gt + 1
        if getattr(rule, "lt", None) is not None:
            found["max_value"] = rule.lt - 1
    return found


def config_field(name: str, info: FieldInfo) -> forms.Field:
    """The form field for one field of a provider's model."""
    kind, optional = _inner(info.annotation)
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    default = info.get_default(call_default_factory=True)
    default = None if default is PydanticUndefined else default
    common: dict[str, Any] = {
        "label": info.title or name.replace("_", " ").capitalize(),
        "help_text": info.description or "",
        "initial": default,
        "required": info.is_required() and not optional,
    }
    field = _field_for(kind, info, common)
    setattr(field, "unit", extra.get("unit", ""))  # noqa: B010 - for the template
    return field


def _field_for(kind: Any, info: FieldInfo, common: dict[str, Any]) -> forms.Field:
    if kind is bool:
        return forms.BooleanField(**{**common, "required": False})
    if kind in (int, float):
        number = forms.IntegerField if kind is int else forms.FloatField
        return number(**common, **_bounds(info))
    if get_origin(kind) is dict:
        return EnvironmentField(**common)
    if get_origin(kind) is Literal:
        return forms.ChoiceField(**common, choices=[(v, v) for v in get_args(kind)])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return forms.ChoiceField(**common, choices=[(v.value, v.name.capitalize()) for v in kind])
    if getattr(kind, "__name__", "") == "SecretStr":
        return forms.CharField(**{**common, "initial": None}, widget=forms.PasswordInput)
    return forms.CharField(**common)


class SandboxForm(forms.Form):
    """Name, time to live, and the provider's configuration as fields ``config.<name>``."""

    name = forms.CharField(
        required=False,
        max_length=80,
        help_text="So that your team finds it again. Left empty, it is named after the time.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    ttl_seconds = forms.TypedChoiceField(
        label="Time to live",
        coerce=int,
        help_text="After this the portal stops it. Its files stay; start it again at any time.",
    )

    def __init__(self, *args: Any, kind: ProviderInfo, teams: Iterable[Team], **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.kind, self.teams = kind, {str(team.pk): team for team in teams}
        cast(forms.ChoiceField, self.fields["ttl_seconds"]).choices = _lifetimes()
        self.fields["ttl_seconds"].initial = _default_lifetime()
        if len(self.teams) > 1:
            choices = [(pk, team.name) for pk, team in self.teams.items()]
            self.fields["team"] = forms.ChoiceField(choices=choices)
        for name, info in kind.config_model.model_fields.items():
            self.fields[f"config.{name}"] = config_field(name, info)

    def config_fields(self) -> list[forms.BoundField]:
        """The fields that come from the provider's model."""
        return [self[name] for name in self.fields if name.startswith("config.")]

    def wish(self) -> dict[str, Any]:
        """What ``actions.create_sandbox`` takes. Fields left empty fall to the model's defaults."""
        data = self.cleaned_data
        config = {
            name.removeprefix("config."): value
            for name, value in data.items()
            if name.startswith("config.") and value not in (None, "")
        }
        return {
            "provider": self.kind.name,
            "name": data["name"],
            "config": config,
            "ttl_seconds": data["ttl_seconds"],
            "team": self.teams[data["team"]] if "team" in data else next(iter(self.teams.values())),
        }

    def take_errors(self, error: InvalidInput) -> None:
        """Put what the action found wrong beside its field."""
        for name, message in (error.fields or {"": error.message}).items():
            known = next((f for f in self.fields if name == f or name.startswith(f"{f}.")), None)
            self.add_error(known, message.removeprefix("Value error, "))


def _default_lifetime() -> int:
    return min(settings.SANDBOX_DEFAULT_TTL_SECONDS, settings.SANDBOX_MAX_TTL_SECONDS)


def _lifetimes() -> list[tuple[int, str]]:
    from .templatetags.portal import lifetime

    limit = settings.SANDBOX_MAX_TTL_SECONDS
    choices = {seconds: label for seconds, label in LIFETIMES if seconds <= limit}
    for seconds in (_default_lifetime(), limit):
        choices.setdefault(seconds, lifetime(seconds))
    return sorted(choices.items())


class RunForm(forms.Form):
    """A command line with where and how long it may run."""

    command = forms.CharField(strip=False, widget=forms.Textarea(attrs={"rows": 1}))
    working_dir = forms.CharField(required=False, max_length=4096, label="Working directory")
    timeout = forms.IntegerField(required=False, min_value=1, label="Time limit")

    def wish(self) -> dict[str, Any]:
        """What ``actions.run_command`` takes. A browser's line ends become the shell's."""
        data = self.cleaned_data
        return {
            "command": data["command"].replace("\r\n", "\n"),
            "working_dir": data["working_dir"] or None,
            "timeout": data["timeout"],
        }

    def fields_in_error(self) -> dict[str, str]:
        """The first message of each wrong field."""
        return {name: str(messages[0]) for name, messages in self.errors.items()}

    def problems(self) -> list[str]:
        """The messages as sentences that name their field."""
        return [
            f"{self.fields[name].label or name.capitalize()}: {text}"
            for name, text in self.fields_in_error().items()
        ]
