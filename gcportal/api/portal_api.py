"""NinjaAPI with our ways: no session sign-in, problem documents everywhere, errors in OpenAPI."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, re_path
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from . import problems
from .schema import with_problems


class PortalAPI(NinjaAPI):
    """See the module."""

    def set_default_exception_handlers(self) -> None:
        problems.install(self)

    def _get_urls(self) -> list[URLResolver | URLPattern]:
        found: list[URLResolver | URLPattern] = []
        for pattern in super()._get_urls():
            assert isinstance(pattern, URLPattern)
            if pattern.name == "api-root":  # stays for reverse(), answers like any unknown address
                pattern.callback = unknown_address
            pattern.callback = _finished(pattern.callback)
            found.append(pattern)
        return [*found, re_path("", _finished(unknown_address), name="unknown")]

    def get_openapi_schema(
        self,
        *,
        path_prefix: str | None = None,
        path_params: dict[str, Any] | None = None,
    ) -> OpenAPISchema:
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        return with_problems(schema)


def unknown_address(request: HttpRequest, **_: Any) -> HttpResponse:
    """Whatever no route takes."""
    return problems.answer(problems.route_missing())


def _finished(view: Callable[..., Any]) -> Callable[..., Any]:
    """Exempt from page sign-in and CSRF (tokens only), never cached, 405 as a problem document."""
    if inspect.iscoroutinefunction(view):

        async def finished(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            return _polish(await view(request, **kwargs))
    else:

        def finished(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:  # type: ignore[misc]
            return _polish(view(request, **kwargs))

    if hasattr(view, "__name__"):
        finished = wraps(view)(finished)
    finished.login_required = False  # type: ignore[attr-defined]
    finished.csrf_exempt = True  # type: ignore[attr-defined]
    return finished


def _polish(response: HttpResponseBase) -> HttpResponseBase:
    if isinstance(response, HttpResponseNotAllowed):
        allowed = response["Allow"]
        message = f"This address doesn't take that method. It takes: {allowed}."
        response = problems.answer(problems.MethodNotAllowed(message))
        response["Allow"] = allowed
    response.headers.setdefault("Cache-Control", "no-store")
    return response
