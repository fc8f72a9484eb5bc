"""Every error is a problem document with a stable code."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


def problem(answer, status, code):
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert (
        {"type", "title", "status", "code"}
        <= set(body)
        <= {
            "type",
            "title",
            "status",
            "code",
            "fields",
        }
    )
    assert (body["status"], body["code"]) == (status, code)
    return body


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/me/", "/sandboxes/a/b/c"])
def test_unknown_addresses(api, alice, path):
    for client in (api(alice), api(None)):
        answer = client.client.get(f"/api/v1{path}", follow=True)
        problem(answer, 404, "route_not_found")
    if path:
        problem(api(alice).post(path), 404, "route_not_found")


def test_methods_that_an_address_does_not_take(api, alice):
    answer = api(alice).client.put("/api/v1/sandboxes", headers=api(alice).headers)
    problem(answer, 405, "method_not_allowed")
    assert {name.strip() for name in answer["Allow"].split(",")} == {"GET", "POST"}
    problem(api(alice).delete("/commands/x"), 405, "method_not_allowed")


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b'{"provider": NaN}', b'{"provider": "\\ud800"}', b"[" * 100_000]
)
def test_bodies_that_cannot_be_read(api, alice, body):
    problem(api(alice).post("/sandboxes", body), 400, "body_malformed")


def test_bodies_of_the_wrong_shape(api, alice):
    for body in (b"", b"[]", b"null", b"5"):
        problem(api(alice).post("/sandboxes", body), 422, "invalid_input")


def test_bodies_that_are_too_large(api, alice, make_sandbox):
    body = b'{"command": "' + b"x" * 3_000_000 + b'"}'
    path = f"/sandboxes/{make_sandbox().pk}/commands"
    problem(api(alice).post(path, body), 413, "body_too_large")
    problem(api(alice).post("/sandboxes", body), 413, "body_too_large")


def test_surprises_tell_nothing(api, alice, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("hunter2")

    monkeypatch.setattr("sandboxes.history.commands", fail)
    body = problem(api(alice).get("/commands"), 500, "internal_error")
    assert "hunter2" not in str(body)


def test_a_database_that_does_not_answer(api, alice, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("database is locked")

    monkeypatch.setattr("sandboxes.history.commands", fail)
    answer = api(alice).get("/commands")
    problem(answer, 503, "unavailable")
    assert answer["Retry-After"] == "2"


def test_answers_are_not_cached(api, alice):
    assert api(alice).get("/me")["Cache-Control"] == "no-store"


def test_documents_are_public_and_load_nothing_from_elsewhere():
    assert Client().get("/api/v1/openapi.json").json()["openapi"] == "3.1.0"
    page = Client().get("/api/v1/docs")
    assert page.status_code == 200
    assert b"http://" not in page.content
    assert b"https://" not in page.content
    assert b"<style" not in page.content
    assert "default-src 'self'" in page["Content-Security-Policy"]
