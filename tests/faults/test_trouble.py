"""Trouble around the portal: a locked database, a full disk, commands that slip away."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import psycopg
import pytest

from tests.faults.conftest import Fleet
from tests.support.client import Api
from tests.support.portal import Portal

pytestmark = pytest.mark.faults


def _lock_database(portal: Portal, seconds: float) -> None:
    url = portal.env.get("DATABASE_URL")
    if url:
        with psycopg.connect(url) as connection:
            connection.execute("LOCK TABLE sandboxes_command IN ACCESS EXCLUSIVE MODE")
            time.sleep(seconds)
        return
    connection = sqlite3.connect(portal.folder / "data" / "portal.sqlite3", timeout=30)
    connection.isolation_level = None
    connection.execute("BEGIN IMMEDIATE")
    time.sleep(seconds)
    connection.execute("ROLLBACK")
    connection.close()


def test_database_locked_for_ten_seconds(portal, launch, api):
    fleet: Fleet = launch(20, 6.0)
    time.sleep(1)
    lock = threading.Thread(target=_lock_database, args=(portal, 10))
    lock.start()
    lock.join()
    fleet.check()


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65536))


def test_disk_full_for_a_while(small_disk):
    portal = Portal(small_disk / "portal").prepare()
    try:
        portal.start().wait_ready()
        api = Api(portal.url, portal.add_user("operator@example.org"))
        sandbox = api.sandbox()
        command = api.run(sandbox, "for i in 1 2 3 4 5 6 7 8; do seq 1 20000; sleep 0.5; done")
        time.sleep(1)
        filler = small_disk / "filler"
        with pytest.raises(OSError, match="No space"):
            _fill(filler)
        time.sleep(4)
        filler.unlink()
        ended = api.wait(command)
        line = b"".join(b"%d\n" % number for number in range(1, 20001))
        assert ended["state"] == "exited"
        assert api.output(command) == line * 8
        assert api.wait(api.run(sandbox, "echo fine"))["exit_code"] == 0
    finally:
        portal.stop()


def test_command_that_forks_away_and_closes_its_output(api, sandboxes):
    daemon = (
        "import os, time, sys\n"
        "if os.fork(): os._exit(3)\n"
        "os.setsid()\n"
        "for fd in (0, 1, 2): os.close(fd)\n"
        "time.sleep(5); open('daemon-lived', 'w').close(); time.sleep(60)\n"
    )
    started = time.monotonic()
    ended = api.wait(api.run(sandboxes[0], f"exec python3 - <<'S'\n{daemon}S"))
    assert ended["state"] == "exited"
    assert ended["exit_code"] == 3
    assert time.monotonic() - started < 4
    time.sleep(5)
    lived = api.wait(api.run(sandboxes[0], "ls daemon-lived"))
    assert lived["exit_code"] == 0, "a background process lives on in the sandbox"


def test_background_process_that_keeps_the_pipe_open(api, sandboxes):
    ended = api.wait(api.run(sandboxes[0], "(sleep 2; echo late; touch late) & echo now"))
    assert ended["exit_code"] == 0
    assert ended["duration"] < 1.5
    time.sleep(3)
    assert api.wait(api.run(sandboxes[0], "ls late"))["exit_code"] == 0


def test_flood_is_bounded(portal, api: Api):
    """300 MB of output: head and tail are kept, the middle is counted, nothing else grows."""
    sandbox = api.sandbox(name="flood")
    before = {name: portal.rss(name) for name in ("web", "worker")}
    command = api.run(sandbox, "head -c 300000000 /dev/zero | tr '\\0' 'x'; echo; echo end; exit 7")
    ended = api.wait(command)
    assert (ended["state"], ended["exit_code"]) == ("exited", 7)
    assert ended["stdout_bytes"] == 300_000_005
    assert ended["truncated"]
    kept = api.output(command)
    assert len(kept) <= 33 * 1024 * 1024  # up to the gap
    limit = 64 * 1024 * 1024
    tail = api.output(command, offset=ended["stdout_bytes"] - 1000)
    assert tail.endswith(b"x\nend\n")
    gap = ended["gaps"]["stdout"]
    assert gap["start"] == limit // 2
    assert ended["stdout_bytes"] - gap["end"] <= limit // 2
    for name, size in before.items():
        grown = portal.rss(name) - size
        assert grown < 100 * 1024 * 1024, f"{name} grew by {grown >> 20} MiB"
    api.ok("DELETE", f"/sandboxes/{sandbox['id']}")
