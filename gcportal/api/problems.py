"""Every error of the API as a problem document (RFC 9457) with a stable code."""

from __future__ import annotations

import json
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from pydantic import Field

from gcportal.errors import InvalidInput, NotFound, PortalError, Unavailable

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
CHALLENGE = 'Bearer realm="Grainchain Portal"'


class Problem(Schema):
    """What went wrong. Programs look at `code`, people read `title`."""

    type: str = Field(description="always about:blank")
    title: str = Field(description="one sentence that says what to do")
    status: int
    code: str = Field(description="stable; docs/api.md lists all")
    fields: dict[str, str] = Field(
        default_factory=dict, description="what is wrong with which field of the request"
    )


class MalformedBody(PortalError):
    """The body isn't what its content type says."""

    code = "body_malformed"
    status = 400


class BodyTooLarge(PortalError):
    """The body is over the limit."""

    code = "body_too_large"
    status = 413


class MethodNotAllowed(PortalError):
    """The address exists, but not for this method."""

    code = "method_not_allowed"
    status = 405


class Unexpected(PortalError):
    """A fault of the portal itself; the log has the traceback."""

    code = "internal_error"
    status = 500


def answer(error: PortalError) -> HttpResponse:
    """The error as a response."""
    body = json.dumps(error.as_problem(), ensure_ascii=False)
    response = HttpResponse(body, status=error.status, content_type=CONTENT_TYPE)
    if error.status == 401:
        invalid = ', error="invalid_token"' if error.code == "token_invalid" else ""
        response["WWW-Authenticate"] = CHALLENGE + invalid
    if error.status == 503:
        response["Retry-After"] = "2"
    return response


def route_missing() -> NotFound:
    """No route has this address."""
    return NotFound("There is no such address in the API.", code="route_not_found")


def invalid(error: ValidationError) -> InvalidInput:
    """What pydantic found, field by field."""
    fields = {_field(problem["loc"]): str(problem["msg"]) for problem in error.errors}
    said = "; ".join(f"{name}: {message}" for name, message in fields.items())
    return InvalidInput(f"The request is wrong. {said}", fields=fields)


def _field(where: tuple[Any, ...]) -> str:
    # ("body", "data", "ttl_seconds"): where it stands, ninja's name for the body, then the path
    names = [str(part) for part in where[1:]]
    if where[0] == "body" and names:
        names = names[1:]
    return ".".join(names) or "body"


def _portal_error(request: HttpRequest, error: Any) -> HttpResponse:
    return answer(error)


def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    return answer(invalid(error))


def _http_error(request: HttpRequest, error: Any) -> HttpResponse:
    if error.status_code == 400:
        return answer(MalformedBody("The body is no valid JSON in UTF-8."))
    found = PortalError(error.message)
    found.status = error.status_code
    return answer(found)


def _too_big(request: HttpRequest, error: Any) -> HttpResponse:
    return answer(BodyTooLarge("The request's body is too large: at most 2 MiB."))


def _database(request: HttpRequest, error: Any) -> HttpResponse:
    log.warning("api_database_unavailable", error=str(error))
    return answer(Unavailable("The database doesn't answer. Try again in a moment."))


def _unexpected(request: HttpRequest, error: Any) -> HttpResponse:
    log.error("api_unexpected_error", exc_info=error)
    return answer(Unexpected("The portal failed. The administrator finds the reason in its log."))


def install(api: NinjaAPI) -> None:
    """Give the API its answers to every kind of exception."""
    api.add_exception_handler(PortalError, _portal_error)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(Http404, lambda request, error: answer(route_missing()))
    api.add_exception_handler(RequestDataTooBig, _too_big)
    api.add_exception_handler(OperationalError, _database)
    api.add_exception_handler(Exception, _unexpected)
