"""A request that can't be done: answered with a code and a sentence, never a traceback."""

from __future__ import annotations


class Refusal(Exception):
    """Carries the stable code and the sentence for the user."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
