"""What may be asked for: the rules on names, configuration, commands, environments, times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from pydantic import BaseModel, ValidationError

from gcportal.errors import InvalidInput
from providers import registry
from providers.registry import ProviderInfo

COMMAND_LIMIT = 120 * 1024  # Linux takes 128 KiB for one argument of a program
ENVIRONMENT_LIMIT = 64 * 1024
INPUT_LIMIT = 64 * 1024
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def provider_named(name: Any) -> ProviderInfo:
    """The provider, or ``unknown_provider``."""
    found = registry.info(name) if isinstance(name, str) else None
    if found is None:
        known = ", ".join(kind for kind in registry.KINDS)
        raise InvalidInput(
            f"There is no such provider. Known: {known}.",
            code="unknown_provider",
            fields={"provider": f"Choose one of: {known}."},
        )
    return found


def config_for(model: type[BaseModel], values: Any) -> dict[str, Any]:
    """The configuration as the provider's model dumps it, or every field that is wrong."""
    try:
        return model.model_validate({} if values is None else values).model_dump(mode="json")
    except ValidationError as error:
        fields = {
            ".".join(["config", *map(str, problem["loc"])]): problem["msg"]
            for problem in error.errors(include_url=False, include_input=False)
        }
        raise InvalidInput(
            "The configuration is wrong: " + "; ".join(f"{k}: {v}" for k, v in fields.items()),
            code="configuration_invalid",
            fields=fields,
        ) from None


def sandbox_name(name: Any, fallback: str) -> str:
    """A name of at most 80 characters without control characters."""
    text = str(name or "").strip() or fallback
    if len(text) > 80 or any(ord(c) < 32 or ord(c) == 127 for c in text):
        raise InvalidInput(
            "A name has at most 80 characters and no control characters.",
            code="name_invalid",
            fields={"name": "At most 80 characters, none of them control characters."},
        )
    return text


def _whole(value: Any, name: str, limit: int, code: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= limit:
        raise InvalidInput(
            f"{name} is a whole number of seconds between 1 and {limit}.",
            code=code,
            fields={name: f"Between 1 and {limit} seconds."},
        )
    return value


def ttl(value: Any) -> int:
    """Time to live in seconds; the default for ``None``."""
    if value is None:
        return min(settings.SANDBOX_DEFAULT_TTL_SECONDS, settings.SANDBOX_MAX_TTL_SECONDS)
    return _whole(value, "ttl_seconds", settings.SANDBOX_MAX_TTL_SECONDS, "ttl_invalid")


def timeout(value: Any) -> int | None:
    """A command's time limit in seconds; ``None`` is none."""
    if value is None:
        return None
    return _whole(value, "timeout", settings.COMMAND_MAX_TIMEOUT_SECONDS, "timeout_invalid")


def _text(value: Any, name: str, limit: int, code: str) -> str:
    problem = ""
    if not isinstance(value, str):
        problem = "is a text"
    elif "\0" in value:
        problem = "can't hold a NUL character"
    else:
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            problem = "must be valid Unicode"
        else:
            problem = f"has at most {limit} bytes" if size > limit else ""
    if problem:
        message = f"{name.replace('_', ' ').capitalize()} {problem}."
        raise InvalidInput(message, code=code, fields={name: message})
    return value


def command_line(value: Any) -> str:
    """A command line of at most 120 KiB without NUL."""
    text = _text(value, "command", COMMAND_LIMIT, "command_invalid")
    if not text.strip():
        raise InvalidInput(
            "The command is empty.", code="command_empty", fields={"command": "Type a command."}
        )
    return text


def working_dir(value: Any) -> str:
    """A directory path of at most 4,096 bytes; empty is the sandbox's home."""
    return _text("" if value is None else value, "working_dir", 4096, "working_dir_invalid")


def environment(value: Any) -> dict[str, str]:
    """Variables: names of letters, digits and underscores; at most 64 KiB in all."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInput("environment maps names to texts.", code="environment_invalid")
    for name, text in value.items():
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
            raise InvalidInput(
                "A variable's name has letters, digits and underscores only, no digit first.",
                code="environment_invalid",
                fields={"environment": f"Not a variable's name: {str(name)[:80]!r}."},
            )
        _text(text, "environment", ENVIRONMENT_LIMIT, "environment_invalid")
    if sum(len(n) + len(v.encode()) + 2 for n, v in value.items()) > ENVIRONMENT_LIMIT:
        raise InvalidInput(
            f"The environment has at most {ENVIRONMENT_LIMIT} bytes in all.",
            code="environment_invalid",
        )
    return dict(value)
