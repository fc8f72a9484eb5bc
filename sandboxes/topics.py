"""Which hints a change of a sandbox or command sends."""

from __future__ import annotations

from .models import Command, Sandbox


def sandbox_topics(sandbox: Sandbox) -> tuple[str, ...]:
    """Its own, and its team's, on which lists hang."""
    return f"sandbox/{sandbox.pk}", f"team/{sandbox.team_id}"


def command_topics(command: Command) -> tuple[str, ...]:
    """Its own, its sandbox's, and its team's."""
    return (
        f"command/{command.pk}",
        f"sandbox/{command.sandbox_id}",
        f"team/{command.team_id}",
    )
