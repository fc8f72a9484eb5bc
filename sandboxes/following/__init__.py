"""Following a command: from its journal in the sandbox to the relay and the database."""

from .follower import follow
from .stdin import feed

__all__ = ["feed", "follow"]
