"""Run, list, read, cancel and feed commands through the API."""

from __future__ import annotations

import pytest

from sandboxes.models import Command, CommandInput

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_runs(api, alice, make_sandbox):
    sandbox = make_sandbox()
    body = {
        "command": "echo hi",
        "working_dir": "src",
        "environment": {"API_KEY": "hunter2"},
        "timeout": 30,
    }
    answer = api(alice).post(f"/sandboxes/{sandbox.pk}/commands", body)
    made = answer.json()
    assert answer.status_code == 201
    assert (made["state"], made["sandbox"], made["timeout"]) == ("queued", str(sandbox.pk), 30)
    assert made["environment"] == ["API_KEY"]
    assert b"hunter2" not in answer.content
    row = Command.objects.get(pk=made["id"])
    assert row.environment == {"API_KEY": "hunter2"}
    assert row.user == alice
    assert b"hunter2" not in api(alice).get(f"/commands/{row.pk}").content
    assert b"hunter2" not in api(alice).get("/commands").content


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "invalid_input", "command"),
        ({"command": ""}, "command_empty", "command"),
        ({"command": " \n"}, "command_empty", "command"),
        ({"command": "a\0b"}, "command_invalid", "command"),
        ({"command": "x" * 1024 * 1024}, "command_invalid", "command"),
        ({"command": 5}, "invalid_input", "command"),
        ({"command": "a", "timeout": -1}, "timeout_invalid", "timeout"),
        ({"command": "a", "timeout": 0}, "timeout_invalid", "timeout"),
        ({"command": "a", "timeout": 10**12}, "timeout_invalid", "timeout"),
        ({"command": "a", "timeout": "5"}, "invalid_input", "timeout"),
        ({"command": "a", "environment": {"1A": "x"}}, "environment_invalid", "environment"),
        ({"command": "a", "environment": {"A": "\0"}}, "environment_invalid", "environment"),
        ({"command": "a", "environment": {"A": 1}}, "invalid_input", "environment.A"),
        ({"command": "a", "working_dir": "/a\0"}, "working_dir_invalid", "working_dir"),
        ({"command": "a", "cwd": "/"}, "invalid_input", "cwd"),
    ],
)
def test_wrong_input_is_named(api, alice, make_sandbox, body, code, field):
    answer = api(alice).post(f"/sandboxes/{make_sandbox().pk}/commands", body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, code), problem
    assert field in problem["fields"]
    assert not Command.objects.exists()


@pytest.mark.parametrize("state", ["creating", "stopped", "failed", "lost", "deleting", "deleted"])
def test_only_a_running_sandbox_takes_commands(api, alice, make_sandbox, state):
    path = f"/sandboxes/{make_sandbox(state=state).pk}/commands"
    answer = api(alice).post(path, {"command": "true"})
    assert (answer.status_code, answer.json()["code"]) == (409, "sandbox_not_running")


def test_who_may_run(api, bob, carol, mallory, make_sandbox):
    path = f"/sandboxes/{make_sandbox().pk}/commands"
    for person, status, code in (
        (bob, 403, "forbidden"),
        (carol, 403, "forbidden"),
        (mallory, 404, "sandbox_not_found"),
    ):
        answer = api(person).post(path, {"command": "true"})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    own = make_sandbox(owner=carol)
    assert api(carol).post(f"/sandboxes/{own.pk}/commands", {"command": "id"}).status_code == 201


def test_the_same_key_runs_once(api, alice, carol, make_sandbox):
    sandbox, client = make_sandbox(owner=carol), api(alice)
    path, body = f"/sandboxes/{sandbox.pk}/commands", {"command": "date"}
    first = client.post(path, body, Idempotency_Key="k")
    assert client.post(path, body, Idempotency_Key="k").json() == first.json()
    other = client.post(path, {"command": "id"}, Idempotency_Key="k")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert Command.objects.count() == 1
    # a key is a person's own
    theirs = api(carol).post(path, body, Idempotency_Key="k")
    assert theirs.json()["id"] != first.json()["id"]


def test_history_filters_and_pages(api, alice, carol, make_sandbox, make_command):
    one, two = make_sandbox(), make_sandbox()
    for number in range(4):
        make_command(sandbox=one, command=f"echo {number}")
    make_command(sandbox=two, user=carol, state="lost", command="Sleep 5")
    client = api(alice)

    def found(**query):
        return [item["command"] for item in client.get("/commands", **query).json()["items"]]

    assert found() == ["Sleep 5", "echo 3", "echo 2", "echo 1", "echo 0"]
    assert found(person=str(carol.pk)) == found(state="lost") == found(text="sleep") == ["Sleep 5"]
    assert len(found(sandbox=str(one.pk))) == 4
    first = client.get("/commands", limit=3).json()
    assert found(limit=3, cursor=first["next_cursor"]) == ["echo 1", "echo 0"]
    for wrong in ({"person": "me"}, {"sandbox": "x"}):
        assert client.get("/commands", **wrong).json()["code"] == "filter_invalid"
    assert client.get("/commands", cursor="x").json()["code"] == "cursor_invalid"


def test_a_page_costs_the_same_whatever_is_on_it(
    api, alice, make_command, django_assert_max_num_queries
):
    for _ in range(30):
        make_command()
    client = api(alice)
    with django_assert_max_num_queries(4):
        assert len(client.get("/commands").json()["items"]) == 30


def test_a_command_shows_its_outcome(api, alice, bob, mallory, make_command):
    command = make_command(exit_code=3, stdout={0: b"a", 9: b"b"}, stderr=b"xy")
    for person in (alice, bob):
        shown = api(person).get(f"/commands/{command.pk}").json()
        assert (shown["state"], shown["exit_code"], shown["signal"]) == ("exited", 3, None)
        assert (shown["stdout_bytes"], shown["stderr_bytes"]) == (10, 2)
        assert shown["truncated"]
        assert shown["gaps"] == {"stdout": {"start": 1, "end": 9}, "stderr": None}
    for path in (f"/commands/{command.pk}", "/commands/x", f"/commands/{alice.pk}"):
        answer = api(mallory).get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "command_not_found")
    assert api(mallory).get("/commands").json()["items"] == []


def test_cancel(api, alice, bob, mallory, make_command):
    command = make_command(state="running")
    path = f"/commands/{command.pk}/cancel"
    assert api(bob).post(path).status_code == 403
    assert api(mallory).post(path).status_code == 404
    for _ in range(2):
        answer = api(alice).post(path)
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelling")
    queued = make_command(state="queued")
    assert api(alice).post(f"/commands/{queued.pk}/cancel").json()["state"] == "cancelled"
    ended = make_command(exit_code=0)
    answer = api(alice).post(f"/commands/{ended.pk}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "exited")


def test_stdin_takes_bytes_and_json(api, alice, make_command):
    command, client = make_command(state="running"), api(alice)
    path = f"/commands/{command.pk}/stdin"
    raw = client.client.post(
        f"/api/v1{path}", b"\0\xff", content_type="application/octet-stream", headers=client.headers
    )
    assert raw.status_code == 200
    form = client.client.post(
        f"/api/v1{path}",
        b"a=b",
        content_type="application/x-www-form-urlencoded",
        headers=client.headers,
    )
    assert form.status_code == 200
    assert client.post(path, {"data": "é", "eof": True}).json()["stdin_open"] is False
    sent = list(CommandInput.objects.order_by("offset").values_list("offset", "length", "eof"))
    assert sent == [(0, 2, False), (2, 3, False), (5, 2, True)]
    closed = client.post(path, {"data": "more"})
    assert (closed.status_code, closed.json()["code"]) == (409, "stdin_closed")


def test_stdin_closes_with_a_query(api, alice, make_command):
    command, client = make_command(state="running"), api(alice)
    assert (
        client.post(f"/commands/{command.pk}/stdin?eof=true", b"{}").json()["stdin_open"] is False
    )


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"[]", 422, "invalid_input"),
        (b'{"data": 5}', 422, "invalid_input"),
        (b'{"eof": "yes"}', 422, "invalid_input"),
        (b'{"text": ""}', 422, "invalid_input"),
        (b'{"data": "\\ud800"}', 400, "body_malformed"),
        (b"{", 400, "body_malformed"),
        (b"\xff", 400, "body_malformed"),
        (b'{"data": "' + b"x" * 70_000 + b'"}', 422, "input_too_large"),
    ],
)
def test_stdin_wrong_bodies(api, alice, make_command, body, status, code):
    answer = api(alice).post(f"/commands/{make_command(state='running').pk}/stdin", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not CommandInput.objects.exists()


def test_stdin_of_others_and_of_the_ended(api, alice, bob, mallory, make_command):
    path = f"/commands/{make_command(state='running').pk}/stdin"
    assert api(bob).post(path, {"data": "x"}).status_code == 403
    assert api(mallory).post(path, {"data": "x"}).status_code == 404
    ended = api(alice).post(f"/commands/{make_command().pk}/stdin", {"data": "x"})
    assert (ended.status_code, ended.json()["code"]) == (409, "command_ended")
