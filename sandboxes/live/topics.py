"""Whose hints a person may have."""

from __future__ import annotations

from typing import Any

from accounts.access import visible_team_ids
from accounts.models import User
from gcportal.errors import NotFound

from ..lookup import get_command, get_sandbox


def require_topic(user: User, topic: Any) -> None:
    """Raise ``NotFound`` unless the person may watch the topic."""
    kind, _, key = topic.partition("/") if isinstance(topic, str) else ("", "", "")
    if topic == "providers":
        return
    if kind == "sandbox":
        get_sandbox(user, key)
    elif kind == "command":
        get_command(user, key)
    elif kind != "team" or key not in map(str, visible_team_ids(user)):
        raise NotFound("There is no such topic.", code="topic_not_found")
