"""Every admin page answers a site administrator, quickly, and shows no secret."""

from __future__ import annotations

import pytest
from django.contrib import admin as django_admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import ApiToken, IdempotencyKey, Membership, User
from providers.models import ProviderHealth, Worker
from sandboxes.actions import create_sandbox
from sandboxes.models import CommandInput, OutputChunk, SandboxEvent
from sandboxes.timeline import note

pytestmark = pytest.mark.django_db

OURS = {"accounts", "providers", "sandboxes"}
MODELS = [model for model in django_admin.site._registry if model._meta.app_label in OURS]
SECRETS = ["s3cret-env", "s3cret-input", "s3cret-output", "s3cret-config"]


@pytest.fixture
def world(alice, bob, token_for, make_sandbox, make_command):
    """A row of every model, with secrets where they can be."""
    token_for(alice)
    sandbox = make_sandbox(config={"environment": {"A": "s3cret-config"}})
    command = make_command(
        sandbox=sandbox, stdout=b"s3cret-output", environment_secret='{"A": "s3cret-env"}'
    )
    note(sandbox, "created", "Created", alice)
    CommandInput.objects.create(command=command, offset=0, data_secret="s3cret-input", length=3)
    create_sandbox(alice, provider="local", idempotency_key="k")
    Worker.objects.create(host="one", pid=1, queues="ops")
    ProviderHealth.objects.create(provider="local", host="one", ok=True, code="ok", summary="Ready")
    for model in MODELS:
        assert model._default_manager.exists(), model


@pytest.fixture
def client(admin):
    found = Client()
    found.force_login(admin)
    return found


def page(client, model, name, *args, **query):
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)
    return client.get(address, query)


def shows_no_secret(answer):
    text = answer.content.decode()
    digests = [*ApiToken.objects.values_list("digest", flat=True)]
    digests += IdempotencyKey.objects.values_list("fingerprint", flat=True)
    digests += User.objects.values_list("password", flat=True)
    for secret in (*SECRETS, *digests):
        assert secret not in text


def test_every_model_is_there():
    names = {model.__name__ for model in MODELS}
    assert names == {
        "User",
        "Team",
        "Membership",
        "ApiToken",
        "AuditEvent",
        "IdempotencyKey",
        "Sandbox",
        "SandboxEvent",
        "Command",
        "OutputChunk",
        "CommandInput",
        "Worker",
        "ProviderHealth",
    }


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_pages(client, world, model):
    row = model._default_manager.order_by("-pk")[0]
    for answer in (
        page(client, model, "changelist"),
        page(client, model, "changelist", q="one"),
        page(client, model, "changelist", q=str(row.pk)),
        page(client, model, "changelist", q="01a20468-e084-7f22-baf0-b91e452ea04a"),
        page(client, model, "change", row.pk),
        page(client, model, "history", row.pk),
    ):
        assert answer.status_code == 200
        shows_no_secret(answer)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_lists_count_nothing_and_ask_the_same_for_many(client, world, model):
    page(client, model, "changelist")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page(client, model, "changelist")
    asked = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert not asked
    assert len(queries) <= 8


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_nothing_is_made_or_removed_beside_the_actions(client, world, model):
    row = model._default_manager.order_by("-pk")[0]
    assert page(client, model, "delete", row.pk).status_code == 403
    made = page(client, model, "add").status_code
    assert made == (200 if model is User else 403)


def test_filters_answer(client, world):
    for model in MODELS:
        for name in django_admin.site._registry[model].list_filter:
            field = name if isinstance(name, str) else name.parameter_name
            value = {"state": "running", "role": "owner", "provider": "local"}.get(field, "1")
            key = field if not isinstance(name, str) else f"{field}__exact"
            assert page(client, model, "changelist", **{key: value}).status_code == 200


def test_an_id_finds_what_belongs_to_it(client, world):
    chunk = OutputChunk.objects.get()
    answer = page(client, OutputChunk, "changelist", q=str(chunk.command_id))
    assert list(answer.context["cl"].result_list) == [chunk]
    event = SandboxEvent.objects.order_by("pk")[0]
    answer = page(client, SandboxEvent, "changelist", q=str(event.sandbox_id))
    assert event in answer.context["cl"].result_list


def test_others_are_kept_out(alice, client):
    address = reverse("admin:index")
    anonymous = Client().get(address, follow=True)
    assert anonymous.redirect_chain[-1][0].startswith("/accounts/login/")
    sign_in = Client().get(reverse("admin:login"), {"next": "/admin/accounts/"})
    assert sign_in["Location"] == "/accounts/login/?next=%2Fadmin%2Faccounts%2F"
    member = Client()
    member.force_login(alice)
    assert member.get(address, follow=True).status_code == 403
    assert client.get(reverse("admin:login")).status_code == 302
    assert Membership.objects.filter(user=alice).exists()
