"""What the API takes and gives."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from ninja import Field, Schema
from pydantic import ConfigDict

from accounts.models import User

from ..models import Command, Sandbox

SandboxStateName = Literal[
    "creating",
    "running",
    "stopping",
    "stopped",
    "starting",
    "failed",
    "lost",
    "deleting",
    "deleted",
]
CommandStateName = Literal[
    "queued",
    "starting",
    "running",
    "cancelling",
    "exited",
    "timed_out",
    "cancelled",
    "failed",
    "lost",
]


class _Request(Schema):
    """Bodies name what they mean: unknown fields and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SandboxIn(_Request):
    """A wish for a sandbox."""

    provider: str = Field(description="name from `GET /providers`", examples=["local"])
    name: str = Field("", max_length=80, description="one is made up when empty")
    config: dict[str, Any] | None = Field(
        None, description="values for the provider's `config_schema`; defaults for the rest"
    )
    ttl_seconds: int | None = Field(
        None, description="seconds it may run after each start; the site's default when left out"
    )
    team: str | None = Field(
        None,
        description="id of the team that owns it; your default team when left out",
        json_schema_extra={"format": "uuid"},
    )


class CommandIn(_Request):
    """A command line to run."""

    command: str = Field(description="for `/bin/sh -c`; at most 120 KiB", examples=["echo hi"])
    working_dir: str | None = Field(
        None, description="absolute, or relative to the home; the home when left out"
    )
    environment: dict[str, str] | None = Field(
        None, description="variables, 64 KiB in all; kept encrypted, never shown again"
    )
    timeout: int | None = Field(
        None, description="seconds after which it is ended; no limit when left out"
    )
    stdin: bool = Field(
        True, description="false: its standard input is at its end from the beginning"
    )


class Person(Schema):
    """Who did it."""

    id: uuid.UUID
    name: str


class SandboxOut(Schema):
    """A sandbox."""

    id: uuid.UUID
    name: str
    team: uuid.UUID
    owner: Person | None
    provider: str
    config: dict[str, Any]
    state: SandboxStateName
    reason: str = Field(description="why it is in this state, in a sentence; may be empty")
    reason_code: str
    isolation: str = Field(description="how it is held in; `none` is no isolation at all")
    host: str = Field(description="the worker host it lives on, for local sandboxes")
    ttl_seconds: int
    created_at: datetime
    started_at: datetime | None
    expires_at: datetime | None
    stopped_at: datetime | None
    deleted_at: datetime | None


class SandboxPage(Schema):
    """A page of sandboxes, newest first."""

    items: list[SandboxOut]
    next_cursor: str | None = Field(description="for the page of older ones; null at the end")
    previous_cursor: str | None


class Gap(Schema):
    """Bytes `start` to `end` (exclusive) of a stream were not kept."""

    start: int
    end: int


class Gaps(Schema):
    """Per stream."""

    stdout: Gap | None
    stderr: Gap | None


class CommandOut(Schema):
    """A command, as lists show it."""

    id: uuid.UUID
    sandbox: uuid.UUID
    team: uuid.UUID
    user: Person | None
    command: str
    working_dir: str
    timeout: int | None
    stdin_open: bool
    state: CommandStateName
    exit_code: int | None = Field(description="its true exit code, never a made-up one")
    signal: int | None = Field(description="number of the signal that ended it")
    reason: str
    reason_code: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    duration: float | None = Field(description="seconds, so far or in all")
    stdout_bytes: int = Field(description="bytes it wrote in all")
    stderr_bytes: int
    stdout_stored: int = Field(description="offset up to which output can be read")
    stderr_stored: int
    truncated: bool = Field(description="whether output was dropped (output limit)")
    gaps: Gaps


class CommandDetail(CommandOut):
    """A command."""

    environment: list[str] = Field(description="names of its variables; values are not shown")


class CommandPage(Schema):
    """A page of commands, newest first."""

    items: list[CommandOut]
    next_cursor: str | None = Field(description="for the page of older ones; null at the end")
    previous_cursor: str | None


def _person(user: User | None) -> Person | None:
    return Person(id=user.pk, name=str(user)) if user else None


def _gap(start: int | None, end: int | None) -> Gap | None:
    return Gap(start=start or 0, end=end) if end else None


def sandbox_out(sandbox: Sandbox) -> SandboxOut:
    """A row as the API shows it."""
    own = ("team", "owner")
    same = {name: getattr(sandbox, name) for name in SandboxOut.model_fields if name not in own}
    return SandboxOut(team=sandbox.team_id, owner=_person(sandbox.owner), **same)


def _command_fields(command: Command) -> dict[str, Any]:
    own = ("sandbox", "team", "user", "timeout", "gaps")
    same = {name: getattr(command, name) for name in CommandOut.model_fields if name not in own}
    return same | {
        "sandbox": command.sandbox_id,
        "team": command.team_id,
        "user": _person(command.user),
        "timeout": command.timeout_seconds,
        "gaps": Gaps(
            stdout=_gap(command.stdout_gap_start, command.stdout_gap_end),
            stderr=_gap(command.stderr_gap_start, command.stderr_gap_end),
        ),
    }


def command_out(command: Command) -> CommandOut:
    """A row as lists show it."""
    return CommandOut(**_command_fields(command))


def command_detail(command: Command) -> CommandDetail:
    """A row as it is shown alone."""
    return CommandDetail(environment=sorted(command.environment), **_command_fields(command))
