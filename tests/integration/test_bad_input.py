"""Wrong requests against a real worker: each a clear error with a stable code, nothing lost."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.portal import wait_until


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"working_dir": "/no/such/place"}, "working_dir_missing"),
        ({"working_dir": "/etc/hostname"}, "working_dir_missing"),
    ],
)
def test_command_that_cant_start_says_why(owner, sandbox, body, code):
    ended = owner.wait(owner.run(sandbox, "true", **body))
    assert (ended["state"], ended["exit_code"]) == ("failed", None)
    assert ended["reason_code"] == code
    assert ended["reason"]


def test_two_at_once_with_one_idempotency_key_make_one(owner, sandbox):
    def post(_: int) -> str:
        answer = owner.http.post(
            f"/sandboxes/{sandbox['id']}/commands",
            json={"command": "echo once >> once"},
            headers={"Idempotency-Key": "same-key"},
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(post, range(8)))
    assert len(ids) == 1
    owner.wait({"id": ids.pop()})
    count = owner.run(sandbox, "wc -l < once")
    owner.wait(count)
    assert owner.output(count).strip() == b"1"


def test_delete_while_creating(owner):
    made = owner.ok("POST", "/sandboxes", json={"provider": "local", "name": "short-lived"})
    owner.ok("DELETE", f"/sandboxes/{made['id']}")
    gone = owner.ok("GET", f"/sandboxes/{made['id']}", params={"wait": 30})
    assert gone["state"] == "deleted"


def test_delete_while_a_command_runs(owner):
    sandbox = owner.sandbox(name="deleted at work")
    command = owner.run(sandbox, "echo here; sleep 60")
    owner.ok("DELETE", f"/sandboxes/{sandbox['id']}")
    ended = owner.wait(command)
    assert ended["state"] in ("cancelled", "failed")
    assert ended["exit_code"] is None
    if ended["state"] == "cancelled" and ended["reason_code"] == "sandbox_stopped":
        assert owner.output(command) in (b"", b"here\n")
    assert owner.ok("GET", f"/sandboxes/{sandbox['id']}", params={"wait": 30})["state"] == "deleted"


def test_sandbox_whose_folder_somebody_removed(portal, owner):
    sandbox = owner.sandbox(name="robbed")
    folder = portal.folder / "data" / "local" / sandbox["id"].replace("-", "")
    shutil.rmtree(folder)
    ended = owner.wait(owner.run(sandbox, "true"))
    assert ended["state"] in ("failed", "lost")
    assert ended["reason"]
    path = f"/sandboxes/{sandbox['id']}"
    wait_until(lambda: owner.ok("GET", path)["state"] == "lost", 20, "the loss is noticed", 0.2)
    owner.ok("DELETE", path)
    assert owner.ok("GET", path, params={"wait": 30})["state"] == "deleted"


def test_foreign_sandbox_and_command_are_not_found(owner, stranger, sandbox):
    command = owner.run(sandbox, "echo secret")
    owner.wait(command)
    for method, path in [
        ("GET", f"/sandboxes/{sandbox['id']}"),
        ("POST", f"/sandboxes/{sandbox['id']}/stop"),
        ("DELETE", f"/sandboxes/{sandbox['id']}"),
        ("GET", f"/commands/{command['id']}"),
        ("GET", f"/commands/{command['id']}/output"),
        ("GET", f"/commands/{command['id']}/events"),
        ("POST", f"/commands/{command['id']}/cancel"),
        ("POST", f"/commands/{command['id']}/stdin"),
    ]:
        answer = stranger.http.request(method, path)
        assert answer.status_code == 404, (method, path)
    answer = stranger.http.post(f"/sandboxes/{sandbox['id']}/commands", json={"command": "id"})
    assert answer.status_code == 404
