"""Expected failures: a type, a stable code, a sentence for the user."""

from __future__ import annotations

from typing import Any


class PortalError(Exception):
    """An expected failure.

    Args:
        message: one sentence that says what to do; no secret in it.
        code: stable identifier for programs; the class's own by default.
        fields: per-field messages of wrong input, ``{"config.memory_mb": "…"}``.
    """

    code = "error"
    status = 400

    def __init__(
        self, message: str, *, code: str | None = None, fields: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.fields = fields or {}

    def as_problem(self) -> dict[str, Any]:
        """The RFC 9457 problem document."""
        problem = {
            "type": "about:blank",
            "title": self.message,
            "status": self.status,
            "code": self.code,
        }
        return problem | ({"fields": self.fields} if self.fields else {})


class InvalidInput(PortalError):
    """The request can be read but what it asks for is wrong."""

    code = "invalid_input"
    status = 422


class NotFound(PortalError):
    """There is no such thing, or this person may not know of it."""

    code = "not_found"
    status = 404


class Forbidden(PortalError):
    """The person sees the thing but lacks the right."""

    code = "forbidden"
    status = 403


class Conflict(PortalError):
    """The thing's present state doesn't allow this."""

    code = "conflict"
    status = 409


class Unavailable(PortalError):
    """A part of the portal that this needs doesn't answer now."""

    code = "unavailable"
    status = 503
