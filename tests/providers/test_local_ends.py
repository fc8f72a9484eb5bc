"""Deadline and cancel: seen through by the sandbox itself, with true ends."""

from __future__ import annotations

import time

from providers.contract import RunEnd

from .helpers import follow, run, spec


async def test_the_deadline_ends_the_whole_process_group(sandbox):
    began = time.monotonic()
    result = await run(sandbox, "sleep 1000 & echo $!; sleep 1000", timeout=0.3)
    assert result.exit.end is RunEnd.TIMED_OUT
    assert (result.exit.exit_code, result.exit.signal) == (None, 15)
    assert 0.3 <= time.monotonic() - began < 2
    child = int(result.out)
    gone = await run(sandbox, f"while kill -0 {child} 2>/dev/null; do sleep 0.02; done", timeout=5)
    assert gone.exit.end is RunEnd.EXITED


async def test_a_command_that_ignores_sigterm_is_killed_after_the_grace(sandbox):
    request = spec("trap '' TERM; echo ready; while :; do sleep 0.05; done")
    await sandbox.start_run(request)
    events = sandbox.follow_run(request.run_id, {})
    await anext(events)
    await events.aclose()
    began = time.monotonic()
    await sandbox.cancel_run(request.run_id, 0.3)
    result = await follow(sandbox, request.run_id)
    assert (result.exit.end, result.exit.signal) == (RunEnd.CANCELLED, 9)
    assert 0.25 < time.monotonic() - began < 2


async def test_a_command_may_clean_up_when_cancelled(sandbox):
    request = spec("trap 'echo cleaned; exit 12' TERM; echo ready; while :; do sleep 0.02; done")
    await sandbox.start_run(request)
    events = sandbox.follow_run(request.run_id, {})
    await anext(events)
    await events.aclose()
    await sandbox.cancel_run(request.run_id, 5)
    result = await follow(sandbox, request.run_id)
    assert (result.exit.end, result.exit.exit_code) == (RunEnd.CANCELLED, 12)
    assert result.out == b"ready\ncleaned\n"


async def test_a_finished_run_is_left_alone(sandbox):
    request = spec("exit 3")
    await sandbox.start_run(request)
    before = await follow(sandbox, request.run_id)
    await sandbox.cancel_run(request.run_id, 1)
    await sandbox.signal_run(request.run_id, 9)
    assert (await follow(sandbox, request.run_id)).exit == before.exit
    assert before.exit.end is RunEnd.EXITED


async def test_cancel_twice_keeps_the_first_reason(sandbox):
    request = spec("trap '' TERM; sleep 1000", timeout=1000)
    await sandbox.start_run(request)
    await sandbox.cancel_run(request.run_id, 60)
    await sandbox.cancel_run(request.run_id, 0)
    assert (await follow(sandbox, request.run_id)).exit.end is RunEnd.CANCELLED


async def test_a_group_member_that_ignores_sigterm_dies_with_the_run(sandbox):
    request = spec("sh -c \"trap '' TERM; echo \\$\\$; while :; do sleep 0.05; done\" & wait")
    await sandbox.start_run(request)
    events = sandbox.follow_run(request.run_id, {})
    child = int((await anext(events)).data)
    await events.aclose()
    await sandbox.cancel_run(request.run_id, 0.2)
    gone = await run(sandbox, f"while kill -0 {child} 2>/dev/null; do sleep 0.02; done", timeout=5)
    assert gone.exit.end is RunEnd.EXITED
