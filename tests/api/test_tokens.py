"""Who may ask at all: bearer tokens, nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.actions import revoke_token
from accounts.models import ApiToken
from gcportal.api import api as the_api

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery staple"


def refused(answer, code):
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_every_route_wants_a_token(api, make_command):
    command = make_command()
    for path in (
        "/me",
        "/providers",
        "/sandboxes",
        f"/sandboxes/{command.sandbox_id}",
        "/commands",
        f"/commands/{command.pk}",
        f"/commands/{command.pk}/output",
        f"/commands/{command.pk}/events",
    ):
        refused(api(None).get(path), "token_missing")
    for path in (
        "/sandboxes",
        f"/sandboxes/{command.sandbox_id}/stop",
        f"/sandboxes/{command.sandbox_id}/start",
        f"/sandboxes/{command.sandbox_id}/commands",
        f"/commands/{command.pk}/cancel",
        f"/commands/{command.pk}/stdin",
    ):
        refused(api(None).post(path), "token_missing")
    refused(api(None).delete(f"/sandboxes/{command.sandbox_id}"), "token_missing")


def test_a_session_is_no_token(alice):
    client = Client()
    assert client.login(email=alice.email, password=PASSWORD)
    refused(client.get("/api/v1/me"), "token_missing")
    refused(client.get("/api/v1/commands/x"), "token_missing")


def test_expired_revoked_unknown_and_of_the_deactivated(alice, token_for):
    def ask(token):
        return Client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})

    good = token_for(alice)
    assert ask(good).status_code == 200
    old = token_for(alice, expires_at=timezone.now() - timedelta(seconds=1))
    gone = token_for(alice)
    revoke_token(alice, ApiToken.objects.order_by("-pk")[0])
    for token in (old, gone, "gcp_unknown", "gcp_" + "x" * 5000, "é", "\x00"):
        refused(ask(token), "token_invalid")
    for header in ("", "Bearer", "Bearer ", f"Basic {good}", good):
        answer = Client().get("/api/v1/me", headers={"Authorization": header})
        refused(answer, "token_missing")
    alice.is_active = False
    alice.save()
    refused(ask(good), "token_invalid")


def test_me(api, bob, team):
    shown = api(bob).get("/me").json()
    assert (shown["id"], shown["email"]) == (str(bob.pk), "bob@example.com")
    roles = {(found["name"], found["role"], found["personal"]) for found in shown["teams"]}
    assert roles == {("bob@example.com's team", "owner", True), ("Blue team", "viewer", False)}


def test_routes_that_wait_hold_no_connection():
    operations = [
        operation
        for bound in the_api._get_bound_routers()
        for view in bound.path_operations.values()
        for operation in view.operations
    ]
    assert len(operations) > 10
    for operation in operations:
        names = [callback.__name__ for callback in operation.auth_callbacks]
        assert names == ["bearer_async" if operation.is_async else "bearer"], operation.path
