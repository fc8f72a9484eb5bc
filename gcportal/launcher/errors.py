"""What stops a start, as one line for the person at the terminal."""

from __future__ import annotations


class StartError(Exception):
    """The portal can't be started. The text says why and what to do."""

    exit_code = 1


class ConfigError(StartError):
    """A setting is wrong."""

    exit_code = 2
