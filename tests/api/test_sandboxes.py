"""Create, list, read, start, stop and delete sandboxes through the API."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent
from sandboxes.models import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_creates_in_the_default_team(api, alice):
    answer = api(alice).post("/sandboxes", {"provider": "local", "config": {"memory_mb": 128}})
    made = answer.json()
    assert answer.status_code == 201
    assert (made["state"], made["provider"], made["config"]["memory_mb"]) == (
        "creating",
        "local",
        128,
    )
    row = Sandbox.objects.get(pk=made["id"])
    assert row.team.personal
    assert row.owner == alice
    assert AuditEvent.objects.filter(verb="sandbox.created", object_id=row.pk).exists()


def test_it_creates_in_a_named_team(api, carol, team):
    made = api(carol).post("/sandboxes", {"provider": "local", "name": "x", "team": str(team.pk)})
    assert made.status_code == 201
    assert made.json()["team"] == str(team.pk)


def test_a_viewer_may_not_create(api, bob, team):
    answer = api(bob).post("/sandboxes", {"provider": "local", "team": str(team.pk)})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_strangers_team_does_not_exist(api, mallory, team):
    for wanted in (str(team.pk), "no-id"):
        answer = api(mallory).post("/sandboxes", {"provider": "local", "team": wanted})
        assert (answer.status_code, answer.json()["code"]) == (404, "team_not_found")


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"provider": "nimbus"}, "unknown_provider", "provider"),
        ({"provider": 5}, "invalid_input", "provider"),
        ({}, "invalid_input", "provider"),
        ({"provider": "local", "colour": "red"}, "invalid_input", "colour"),
        (
            {"provider": "local", "config": {"memory_mb": "lots"}},
            "configuration_invalid",
            "config.memory_mb",
        ),
        ({"provider": "local", "config": {"nope": 1}}, "configuration_invalid", "config.nope"),
        ({"provider": "local", "config": []}, "invalid_input", "config"),
        ({"provider": "local", "ttl_seconds": 0}, "ttl_invalid", "ttl_seconds"),
        ({"provider": "local", "ttl_seconds": 10**30}, "ttl_invalid", "ttl_seconds"),
        ({"provider": "local", "name": "a\0b"}, "name_invalid", "name"),
    ],
)
def test_wrong_input_is_named(api, alice, body, code, field):
    answer = api(alice).post("/sandboxes", body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, code), problem
    assert field in problem["fields"]
    assert not Sandbox.objects.exists()


def test_the_same_key_creates_once(api, alice):
    client = api(alice)
    first = client.post("/sandboxes", {"provider": "local"}, Idempotency_Key="k1")
    again = client.post("/sandboxes", {"provider": "local"}, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    other = client.post("/sandboxes", {"provider": "local", "name": "b"}, Idempotency_Key="k1")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    wrong = client.post("/sandboxes", {"provider": "local"}, Idempotency_Key="")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "idempotency_key_invalid")
    assert Sandbox.objects.count() == 1


def test_who_sees_a_sandbox(api, alice, bob, mallory, make_sandbox):
    sandbox = make_sandbox()
    for person in (alice, bob):
        answer = api(person).get(f"/sandboxes/{sandbox.pk}")
        assert (answer.status_code, answer.json()["id"]) == (200, str(sandbox.pk))
        assert len(api(person).get("/sandboxes").json()["items"]) == 1
    for path in (f"/sandboxes/{sandbox.pk}", "/sandboxes/no-id", f"/sandboxes/{mallory.pk}"):
        answer = api(mallory).get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "sandbox_not_found")
    assert api(mallory).get("/sandboxes").json()["items"] == []


def test_lists_filter_and_page(api, alice, make_sandbox):
    boxes = [make_sandbox(name=f"box {number}") for number in range(5)]
    make_sandbox(name="gone", state="deleted")
    client = api(alice)
    first = client.get("/sandboxes", limit=2).json()
    second = client.get("/sandboxes", limit=2, cursor=first["next_cursor"]).json()
    names = [item["name"] for page in (first, second) for item in page["items"]]
    assert names == [box.name for box in boxes[:0:-1]]
    back = client.get("/sandboxes", limit=2, cursor=second["previous_cursor"]).json()
    assert back["items"] == first["items"]
    assert len(client.get("/sandboxes", text="BOX 3").json()["items"]) == 1
    assert len(client.get("/sandboxes", state="deleted").json()["items"]) == 1
    assert client.get("/sandboxes", provider="e2b").json()["items"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"cursor": "nonsense"}, "cursor_invalid"),
        ({"limit": 0}, "invalid_input"),
        ({"limit": 201}, "invalid_input"),
        ({"state": "happy"}, "invalid_input"),
        ({"text": "a\0"}, "filter_invalid"),
        ({"provider": "a\0"}, "invalid_input"),
    ],
)
def test_wrong_filters_are_named(api, alice, query, code):
    answer = api(alice).get("/sandboxes", **query)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_stop_start_delete_and_again(api, alice, make_sandbox):
    sandbox, client = make_sandbox(), api(alice)
    path = f"/sandboxes/{sandbox.pk}"
    for _ in range(2):
        answer = client.post(f"{path}/stop")
        assert (answer.status_code, answer.json()["state"]) == (202, "stopping")
    conflict = client.post(f"{path}/start")
    assert (conflict.status_code, conflict.json()["code"]) == (409, "sandbox_state")
    Sandbox.objects.update(state="stopped")
    assert client.post(f"{path}/stop").status_code == 200
    assert client.post(f"{path}/start").json()["state"] == "starting"
    for _ in range(2):
        answer = client.delete(path)
        assert (answer.status_code, answer.json()["state"]) == (202, "deleting")
    Sandbox.objects.update(state="deleted")
    assert client.delete(path).status_code == 200
    assert client.post(f"{path}/stop").json()["code"] == "sandbox_state"


def test_who_may_act(api, bob, carol, mallory, make_sandbox):
    path = f"/sandboxes/{make_sandbox().pk}"
    for person, status in ((bob, 403), (carol, 403), (mallory, 404)):
        client = api(person)
        assert client.post(f"{path}/stop").status_code == status
        assert client.post(f"{path}/start").status_code == status
        assert client.delete(path).status_code == status
    own = make_sandbox(owner=carol)
    assert api(carol).delete(f"/sandboxes/{own.pk}").status_code == 202
