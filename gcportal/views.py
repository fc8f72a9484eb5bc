"""Health endpoints and error pages."""

from __future__ import annotations

from typing import Any

import redis.exceptions
from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from providers.models import Worker

from .errors import PortalError
from .redis import sync_client


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """The portal can do its job: database, Redis, a living worker. 503 names what is missing."""
    checks = {"database": _database(), "redis": _redis()}
    checks["worker"] = checks["database"] and Worker.objects.alive().exists()
    ready = all(checks.values())
    said = {name: "ok" if fine else "unavailable" for name, fine in checks.items()}
    body = {"status": "ok" if ready else "unavailable", "checks": said}
    response = JsonResponse(body, status=200 if ready else 503)
    setattr(response, "_has_been_logged", True)  # noqa: B010 - a probe's "not yet" is no error
    return response


@login_not_required
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look when a page names no icon (administration, API documents)."""
    return redirect(static("portal/img/favicon.svg"))


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis() -> bool:
    try:
        with sync_client() as client:
            return bool(client.ping())
    except (redis.exceptions.RedisError, OSError):
        return False


def error_page(request: HttpRequest, error: PortalError) -> HttpResponse:
    """An expected failure as a page, or as a fragment when htmx asked."""
    fragment = "HX-Request" in request.headers
    template = "components/alert.html" if fragment else "error.html"
    context = {
        "status": error.status,
        "title": error.message,
        "message": error.message,
        "code": error.code,
        "fields": error.fields,
    }
    return render(request, template, context, status=error.status)


def _plain(request: HttpRequest, status: int, message: str, code: str) -> HttpResponse:
    error = PortalError(message, code=code)
    error.status = status
    return error_page(request, error)


@login_not_required
def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """400 as a page."""
    return _plain(request, 400, "The portal can't make sense of this request.", "bad_request")


@login_not_required
def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """403 as a page."""
    return _plain(request, 403, "You don't have the right to do this.", "forbidden")


@login_not_required
def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404 as a page."""
    return _plain(request, 404, "There is nothing here, or you may not see it.", "not_found")


@login_not_required
def server_error(request: HttpRequest) -> HttpResponse:
    """500 as a page that needs neither database nor context."""
    return render(None, "500.html", status=500)


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the proof that our page sent it."""
    message = "This form is too old or came from another site. Reload the page and try again."
    return _plain(request, 403, message, "csrf_failed")
