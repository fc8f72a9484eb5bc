"""What can be done in the admin goes through the same actions as everywhere."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from accounts.actions import add_member
from accounts.models import ApiToken, AuditEvent, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(admin):
    found = Client()
    found.force_login(admin)
    return found


def act(client, model, action, rows):
    address = reverse(f"admin:{model}_changelist")
    body = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    answer = client.post(address, body)
    assert answer.status_code == 302
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def test_a_new_user_has_a_team_and_an_audit_event(client):
    address = reverse("admin:accounts_user_add")
    weak = client.post(address, {"email": "dora@example.com", "password": "123"})
    assert b"too short" in weak.content
    taken = client.post(address, {"email": "ADMIN@example.com", "password": "correct horse 1"})
    assert b"There is a user" in taken.content
    made = client.post(address, {"email": "Dora@example.com", "password": "correct horse 1"})
    assert made.status_code == 302, made.context["errors"]
    dora = User.objects.get(email="dora@example.com")
    assert dora.teams.get().personal
    assert not dora.is_superuser
    assert AuditEvent.objects.filter(verb="user.created", object_id=dora.pk).exists()
    assert Client().login(email=dora.email, password="correct horse 1")


def test_deactivating_is_audited_and_never_oneself(client, alice, admin):
    def save(user, **data):
        address = reverse("admin:accounts_user_change", args=[user.pk])
        assert client.post(address, {"first_name": "A", **data}).status_code == 302
        user.refresh_from_db()

    password = alice.password
    save(alice)
    assert not alice.is_active
    assert alice.password == password
    event = AuditEvent.objects.get(verb="user.changed", object_id=alice.pk)
    assert event.data == {"changed": ["first_name", "is_active"]}
    save(admin)
    assert admin.is_active
    assert admin.is_superuser


def test_tokens_are_revoked(client, alice, token_for, api):
    program = api(alice)
    assert program.get("/me").status_code == 200
    assert "revoked: 1" in act(client, "accounts_apitoken", "revoke", ApiToken.objects.all())
    assert program.get("/me").status_code == 401
    assert AuditEvent.objects.get(verb="token.revoked").actor.email == "admin@example.com"


def test_an_administrator_outside_of_the_team_is_refused(client, make_sandbox, make_command):
    sandbox, command = make_sandbox(), make_command(state="running")
    said = act(client, "sandboxes_sandbox", "stop", [sandbox])
    assert "role in this team" in said
    said = act(client, "sandboxes_command", "cancel", [command])
    assert "role in this team" in said
    sandbox.refresh_from_db()
    command.refresh_from_db()
    assert (sandbox.state, command.state) == ("running", "running")


def test_one_in_the_team_acts(client, admin, team, make_sandbox, make_command):
    add_member(team, admin, "operator")
    running, stopped, failed = make_sandbox(), make_sandbox(state="stopped"), make_sandbox()
    command = make_command(sandbox=running, state="running")
    assert "asked for: 1" in act(client, "sandboxes_command", "cancel", [command])
    assert "asked for: 2" in act(client, "sandboxes_sandbox", "stop", [running, stopped])
    assert "asked for: 1" in act(client, "sandboxes_sandbox", "start", [stopped])
    assert "asked for: 1" in act(client, "sandboxes_sandbox", "delete_sandboxes", [failed])
    said = act(client, "sandboxes_sandbox", "start", [failed])
    assert "can't be started" in said
    states = []
    for row in (running, stopped, failed, command):
        row.refresh_from_db()
        states.append(row.state)
    assert states == ["stopping", "starting", "deleting", "cancelling"]
