"""The OpenAPI document: authentication and every error, declared for every operation."""

from __future__ import annotations

from typing import Any

from ninja.openapi.schema import OpenAPISchema

from .problems import CONTENT_TYPE, Problem

_ALWAYS = {
    "401": "No valid API token.",
    "500": "The portal failed.",
    "503": "A part of the portal doesn't answer now; try again after `Retry-After` seconds.",
}
_NO_SUCH = {"404": "There is no such thing, or it is not yours to see."}
_INPUT = {"422": "Something in the request is wrong; `fields` says what."}
_BODY = {"400": "The body can't be read.", "413": "The body is too large."}
_CHANGE = {
    "403": "Your role in the team doesn't allow this.",
    "409": "The present state doesn't allow this.",
}


def with_problems(schema: OpenAPISchema) -> OpenAPISchema:
    """Add the security scheme and the problem responses."""
    components = schema["components"]
    components["schemas"]["Problem"] = Problem.model_json_schema(
        ref_template="#/components/schemas/{model}"
    )
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "An API token, `gcp_…`."}
    }
    schema["security"] = [{"token": []}]
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            found = operation["responses"]
            operation["responses"] = {str(status): said for status, said in found.items()}
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter["schema"]["format"] = "uuid"
            for status, said in _errors(path, method, operation).items():
                operation["responses"].setdefault(status, _response(said))
            if "401" in operation["responses"]:
                wanted = {"WWW-Authenticate": {"schema": {"type": "string"}}}
                operation["responses"]["401"]["headers"] = wanted
    return schema


def _errors(path: str, method: str, operation: dict[str, Any]) -> dict[str, str]:
    found = dict(_ALWAYS)
    if "{" in path or method == "post":
        found |= _NO_SUCH
    if operation.get("parameters") or method == "post":
        found |= _INPUT
    if "requestBody" in operation:
        found |= _BODY
    if method != "get":
        found |= _CHANGE
    return dict(sorted(found.items()))


def _response(description: str) -> dict[str, Any]:
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": description, "content": content}
