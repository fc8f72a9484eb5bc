"""Writing a sandbox's timeline."""

from __future__ import annotations

from accounts.models import User

from .models import Sandbox, SandboxEvent


def note(sandbox: Sandbox, kind: str, text: str, actor: User | None = None) -> None:
    """Add one line: what happened and why, and who did it if a person."""
    SandboxEvent.objects.create(sandbox=sandbox, kind=kind, text=text[:500], actor=actor)
