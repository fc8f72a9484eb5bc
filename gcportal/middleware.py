"""Expected failures become error pages; requests are logged, except what only asks for health."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

from .errors import PortalError
from .views import error_page


class PortalErrorMiddleware:
    """Renders a ``PortalError`` that a view raised; the API has its own handler.

    Sync only and the innermost: so the whole chain runs in one thread hop instead of one per
    middleware. Async views still run on the server's loop.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return error_page(request, error) if isinstance(error, PortalError) else None


HEALTH_PATHS = frozenset({"/healthz", "/readyz"})


class RequestLogMiddleware(RequestMiddleware):
    """A request id on every log line, and a line per request but for health probes."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path in HEALTH_PATHS:
            return self.get_response(request)
        return super().__call__(request)
