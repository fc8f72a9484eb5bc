"""Requests as they arrive on the socket: everything is checked before anything is done."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from .refusal import Refusal

RUN_ID = re.compile(r"[0-9a-f]{32}")
VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The kernel's limit for one string of an environment (MAX_ARG_STRLEN), its NUL included.
STRING_MAX = 128 * 1024
COMMAND_MAX = 2 * 1024 * 1024
OUTPUT_LIMIT_MAX = 1 << 40
TIMEOUT_MAX = 10 * 365 * 86400.0


@dataclass(frozen=True)
class StartRequest:
    """A checked ``start`` request."""

    run_id: str
    command: str
    working_dir: str | None
    environment: dict[str, str]
    timeout: float | None
    stdin: bool
    output_limit: int


def run_id(request: dict[str, Any]) -> str:
    """The request's run id; it becomes a path part."""
    value = request.get("run_id")
    if not isinstance(value, str) or not RUN_ID.fullmatch(value):
        raise Refusal("run_id_invalid", "The run id must be 32 hexadecimal digits.")
    return value


def number(request: dict[str, Any], name: str, low: float, high: float) -> float:
    """A finite number within bounds."""
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise Refusal("request_invalid", f"{name} must be a number from {low:g} to {high:g}.")
    return value


def stdin_data(request: dict[str, Any]) -> bytes:
    """The decoded bytes of a ``stdin`` request."""
    value = request.get("data")
    if not isinstance(value, str):
        raise Refusal("request_invalid", "data must be base64 text.")
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise Refusal("request_invalid", "data must be base64 text.") from None


def environment(value: Any) -> dict[str, str]:
    """Checked environment variables."""
    if not isinstance(value, dict):
        raise Refusal("environment_invalid", "The environment must be names with text values.")
    for name, text in value.items():
        if not isinstance(name, str) or not VARIABLE_NAME.fullmatch(name):
            raise Refusal(
                "environment_invalid",
                f"{str(name)[:60]!r} is no variable name: letters, digits and _ only.",
            )
        if not isinstance(text, str) or "\0" in text:
            raise Refusal("environment_invalid", f"The value of {name[:60]} must be text.")
        if len(name) + len(os_bytes(text)) + 2 > STRING_MAX:
            raise Refusal("environment_invalid", f"The value of {name[:60]} is over 128 KiB.")
    return value


def os_bytes(text: str) -> bytes:
    """Text as it is handed to the kernel."""
    return text.encode("utf-8", "surrogateescape")


def start(request: dict[str, Any]) -> StartRequest:
    """Check a ``start`` request as a whole."""
    identity = run_id(request)
    command = request.get("command")
    if not isinstance(command, str) or not command.strip() or "\0" in command:
        raise Refusal("command_invalid", "The command must be text without NUL, and not empty.")
    if len(os_bytes(command)) > COMMAND_MAX:
        raise Refusal("command_invalid", "The command is over 2 MiB.")
    working_dir = request.get("working_dir")
    if working_dir is not None and (not isinstance(working_dir, str) or "\0" in working_dir):
        raise Refusal("working_dir_missing", "The working directory must be a path.")
    timeout = request.get("timeout")
    if timeout is not None:
        timeout = number(request, "timeout", 0.001, TIMEOUT_MAX)
    return StartRequest(
        run_id=identity,
        command=command,
        working_dir=working_dir,
        environment=environment(request.get("environment") or {}),
        timeout=timeout,
        stdin=request.get("stdin") is True,
        output_limit=int(number(request, "output_limit", 2, OUTPUT_LIMIT_MAX)),
    )
