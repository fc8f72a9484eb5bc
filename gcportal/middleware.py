"""Expected failures of pages become error pages with the right status."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from .errors import PortalError
from .views import error_page


class PortalErrorMiddleware:
    """Renders a ``PortalError`` that a view raised; the API has its own handler."""

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return error_page(request, error) if isinstance(error, PortalError) else None
