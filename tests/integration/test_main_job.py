"""Create a sandbox, run a command, get its output, find it again; through the API, for real."""

from __future__ import annotations

import hashlib
import time


def test_create_run_read_and_find_again(owner):
    sandbox = owner.sandbox(name="main job")
    assert sandbox["isolation"] == "bubblewrap"
    command = owner.run(sandbox, "echo out; echo err >&2; exit 3")
    ended = owner.wait(command)
    assert (ended["state"], ended["exit_code"]) == ("exited", 3)
    assert owner.output(command) == b"out\n"
    assert owner.output(command, "stderr") == b"err\n"
    owner.ok("DELETE", f"/sandboxes/{sandbox['id']}")
    gone = owner.ok("GET", f"/sandboxes/{sandbox['id']}", params={"wait": 30})
    assert gone["state"] == "deleted"
    found = owner.ok("GET", "/commands", params={"sandbox": sandbox["id"]})["items"]
    assert [row["id"] for row in found] == [command["id"]]
    assert owner.output(command) == b"out\n", "the history outlives the sandbox"


def test_stop_keeps_files_and_start_brings_them_back(owner):
    sandbox = owner.sandbox(name="stop and start")
    path = f"/sandboxes/{sandbox['id']}"
    owner.wait(owner.run(sandbox, "echo kept > file; sleep 1000 & echo $! > pid"))
    owner.ok("POST", f"{path}/stop")
    assert owner.ok("GET", path, params={"wait": 30})["state"] == "stopped"
    refused = owner.http.post(f"{path}/commands", json={"command": "true"})
    assert (refused.status_code, refused.json()["code"]) == (409, "sandbox_not_running")
    owner.ok("POST", f"{path}/stop")  # twice is fine
    owner.ok("POST", f"{path}/start")
    assert owner.ok("GET", path, params={"wait": 30})["state"] == "running"
    command = owner.run(sandbox, "cat file; kill -0 $(cat pid) 2>/dev/null || echo no process")
    owner.wait(command)
    assert owner.output(command) == b"kept\nno process\n"
    owner.ok("DELETE", path)


def test_background_processes_are_seen_by_the_next_command(owner, sandbox):
    owner.wait(owner.run(sandbox, "sleep 777 & echo started"))
    command = owner.run(
        sandbox, "pgrep -f 'sleep 777' >/dev/null && echo seen; pkill -f 'sleep 777'"
    )
    owner.wait(command)
    assert owner.output(command) == b"seen\n"


def test_bytes_are_exact(owner, sandbox):
    """Binary, NUL, invalid UTF-8, colours, carriage returns, a line of 1 MB."""
    script = (
        "import os, sys, hashlib\n"
        "data = bytes(range(256)) * 40 + b'\\x1b[31mred\\x1b[0m\\r50%\\r100%\\n' + b'x' * 1000000\n"
        "sys.stdout.buffer.write(data)\n"
        "sys.stderr.write(hashlib.sha256(data).hexdigest())\n"
    )
    command = owner.run(sandbox, f"exec python3 - <<'S'\n{script}S")
    assert owner.wait(command)["exit_code"] == 0
    data = owner.output(command)
    assert hashlib.sha256(data).hexdigest().encode() == owner.output(command, "stderr")


def test_stdin_reaches_the_command_once_and_in_order(owner, sandbox):
    command = owner.run(sandbox, "cat; echo end")
    path = f"/commands/{command['id']}/stdin"
    for number in range(5):
        owner.ok("POST", path, content=b"line %d\0\n" % number)
    owner.ok("POST", path, params={"eof": "true"}, content=b"last")
    assert owner.wait(command)["exit_code"] == 0
    lines = b"".join(b"line %d\0\n" % number for number in range(5))
    assert owner.output(command) == lines + b"lastend\n"


def test_cancel_ends_the_whole_group(owner, sandbox):
    command = owner.run(sandbox, "sleep 778 & trap '' TERM; echo on; sleep 778")
    deadline = time.monotonic() + 20
    while not owner.output(command) and time.monotonic() < deadline:
        time.sleep(0.1)
    owner.ok("POST", f"/commands/{command['id']}/cancel")
    ended = owner.wait(command)
    assert (ended["state"], ended["exit_code"]) == ("cancelled", None)
    left = owner.run(sandbox, "pgrep -f '^sleep 778' | wc -l")
    owner.wait(left)
    assert owner.output(left).strip() == b"0"
    owner.ok("POST", f"/commands/{command['id']}/cancel")  # of an ended one: left alone
    assert owner.wait(command)["state"] == "cancelled"


def test_time_limit(owner, sandbox):
    ended = owner.wait(owner.run(sandbox, "echo on; sleep 60", timeout=1))
    assert ended["state"] == "timed_out"
    assert ended["exit_code"] is None
    assert ended["duration"] < 8


def test_output_limit_keeps_head_and_tail(owner, sandbox):
    """The limit is 4 MiB here."""
    command = owner.run(sandbox, "seq -w 1 2000000; exit 5")
    ended = owner.wait(command)
    whole = b"".join(b"%07d\n" % number for number in range(1, 2000001))
    assert (ended["exit_code"], ended["stdout_bytes"]) == (5, len(whole))
    gap = ended["gaps"]["stdout"]
    assert gap["start"] == 2 * 1024 * 1024
    assert gap["end"] >= len(whole) - 2 * 1024 * 1024
    assert owner.output(command) == whole[: gap["start"]]
    tail = b""
    while gap["end"] + len(tail) < len(whole):
        tail += owner.output(command, offset=gap["end"] + len(tail))
    assert tail == whole[gap["end"] :]


def test_time_to_live_stops_the_sandbox(owner):
    sandbox = owner.sandbox(name="short", ttl_seconds=2)
    deadline = time.monotonic() + 30
    path = f"/sandboxes/{sandbox['id']}"
    while (state := owner.ok("GET", path)["state"]) != "stopped":
        assert time.monotonic() < deadline, state
        time.sleep(0.2)
    assert owner.ok("GET", path)["reason_code"] == "expired"
    owner.ok("DELETE", path)
