"""``kill -9`` any process of the portal: no byte is lost or shown twice, nothing runs twice."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

pytestmark = pytest.mark.faults


def test_killed_worker(portal, launch, report):
    fleet = launch()
    time.sleep(2)
    portal.kill("worker")
    killed = time.monotonic()
    portal.start("worker")
    report(f"worker killed: output goes on after {fleet.recovery(killed):.1f} s")
    fleet.check()


def test_killed_web(portal, launch, report):
    fleet = launch()
    time.sleep(2)
    portal.kill("web")
    killed = time.monotonic()
    portal.start("web").wait_ready()
    report(f"web killed: pages answer after {time.monotonic() - killed:.1f} s")
    fleet.check()


def test_killed_beat(portal, launch):
    portal.kill("beat")
    fleet = launch(4, 1.0)
    portal.start("beat")
    fleet.check()


def test_killed_redis(portal, launch, report):
    if not portal.embedded_redis:
        pytest.skip("the shared Redis server isn't this test's to kill")
    fleet = launch()
    time.sleep(2)
    portal.kill("redis")
    killed = time.monotonic()
    time.sleep(3)
    assert fleet.stored(), "the history grows without Redis"
    portal.start("redis").wait_ready()
    report(f"Redis killed for 3 s: output goes on after {fleet.recovery(killed):.1f} s")
    fleet.check()


def test_command_asked_for_while_redis_is_down(portal, api, sandboxes):
    if not portal.embedded_redis:
        pytest.skip("the shared Redis server isn't this test's to kill")
    portal.kill("redis")
    command = api.run(sandboxes[0], "echo kept")
    portal.start("redis").wait_ready()
    assert api.wait(command)["exit_code"] == 0
    assert api.output(command) == b"kept\n"


def test_killed_portal(portal, launch, report):
    fleet = launch()
    time.sleep(2)
    portal.kill()
    killed = time.monotonic()
    time.sleep(2)
    portal.start().wait_ready()
    report(f"everything killed for 2 s: output goes on after {fleet.recovery(killed):.1f} s")
    fleet.check()


def test_portal_down_until_all_have_ended(portal, launch):
    """The outcome is found in the journals, though nobody followed."""
    fleet = launch(8, 2.0)
    time.sleep(0.5)
    portal.kill()
    time.sleep(4)
    portal.start().wait_ready()
    fleet.check()


def test_time_limit_holds_without_any_portal_process(portal, api, sandboxes):
    command = api.run(
        sandboxes[0], "trap '' TERM; echo on; sleep 60 & sleep 60; echo off", timeout=3
    )
    time.sleep(1)
    portal.kill()
    time.sleep(6)
    portal.start().wait_ready()
    ended = api.wait(command)
    assert ended["state"] == "timed_out"
    assert api.output(command) == b"on\n"
    assert 2.5 < ended["duration"] < 12


def test_worker_killed_again_and_again(portal, launch):
    fleet = launch(20, 10.0)
    for _ in range(3):
        time.sleep(2.5)
        portal.kill("worker")
        portal.start("worker")
    fleet.check()


def test_killed_sandbox_is_said(portal, api, sandboxes):
    """The holder is the sandbox: when it is killed, what ran in it is lost, and said so."""
    sandbox = sandboxes[0]
    command = api.run(sandbox, "echo before; sleep 60")
    time.sleep(1)
    folder = portal.folder / "data" / "local" / sandbox["id"].replace("-", "")
    os.kill(json.loads((folder / "holder.json").read_text())["pid"], signal.SIGKILL)
    ended = api.wait(command)
    assert ended["state"] == "lost"
    assert ended["exit_code"] is None
    assert ended["reason"]
    assert api.output(command) == b"before\n"
