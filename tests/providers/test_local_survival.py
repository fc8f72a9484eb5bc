"""What outlives what: sandboxes their creator, nothing its holder."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from providers.contract import RunEnd, SandboxGone, SandboxStatus
from providers.local.provider import LocalProvider, LocalSettings

from .helpers import follow, run, spec

ROOT = Path(__file__).parents[2]
CREATOR = """
import asyncio, sys
from pathlib import Path
from providers.contract import RunSpec, SandboxConfig
from providers.local.provider import LocalProvider, LocalSettings

async def main():
    provider = LocalProvider(LocalSettings(working_dir=Path(sys.argv[1])))
    session = await provider.create_sandbox(SandboxConfig(sys.argv[2]))
    await session.start_run(RunSpec(sys.argv[3], sys.argv[4], timeout=float(sys.argv[5])))
    print("started", flush=True)
    await asyncio.sleep(1000)

asyncio.run(main())
"""


def creator(working_dir: Path, command: str, timeout: float) -> tuple[str, str]:
    """A process group of its own makes a sandbox and a run, and is killed with -9."""
    sandbox_id, run_id = uuid4().hex, uuid4().hex
    process = subprocess.Popen(
        [sys.executable, "-c", CREATOR, working_dir, sandbox_id, run_id, command, str(timeout)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout.readline() == b"started\n"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(5)
    process.stdout.close()
    return sandbox_id, run_id


async def test_a_run_survives_kill_9_of_the_whole_portal(working_dir, provider):
    command = "seq 1 20000; sleep 0.6; seq 20001 40000; exit 42"
    sandbox_id, run_id = await asyncio.to_thread(creator, working_dir, command, 100)
    session = await provider.attach(sandbox_id)
    assert await session.status() is SandboxStatus.RUNNING
    result = await follow(session, run_id)
    assert result.out == b"".join(b"%d\n" % n for n in range(1, 40001))
    assert (result.exit.end, result.exit.exit_code) == (RunEnd.EXITED, 42)


async def test_the_deadline_holds_with_no_portal_alive(working_dir, provider):
    sandbox_id, run_id = await asyncio.to_thread(creator, working_dir, "sleep 1000", 0.7)
    # Nobody is connected: only the journal is watched.
    record = working_dir / sandbox_id / "runs" / run_id / "exit.json"
    async with asyncio.timeout(10):
        while not record.exists():
            await asyncio.sleep(0.02)
    result = await follow(await provider.attach(sandbox_id), run_id)
    assert result.exit.end is RunEnd.TIMED_OUT
    assert result.exit.ended_at - result.exit.started_at < 3


async def test_a_killed_holder_is_reported_and_can_be_replaced(sandbox):
    request = spec("echo before; sleep 1000")
    await sandbox.start_run(request)
    seen = []

    async def watch() -> None:
        async for event in sandbox.follow_run(request.run_id, {}):
            seen.append(event)
            os.kill(sandbox._state.read("holder.json")["pid"], signal.SIGKILL)

    with pytest.raises(SandboxGone):
        async with asyncio.timeout(5):
            await watch()
    assert [event.data for event in seen] == [b"before\n"]
    assert await sandbox.status() is SandboxStatus.STOPPED
    with pytest.raises(SandboxGone):
        await sandbox.start_run(spec("true"))
    await sandbox.wake_up()
    with pytest.raises(SandboxGone):
        await follow(sandbox, request.run_id)
    assert (await run(sandbox, "pgrep -c sleep")).out == b"0\n"


async def test_a_recycled_pid_is_never_killed(sandbox):
    record = sandbox._state.read("holder.json")
    bystander = subprocess.Popen(["sleep", "1000"])
    try:
        os.kill(record["pid"], signal.SIGKILL)
        sandbox._state.write("holder.json", {**record, "pid": bystander.pid})
        await sandbox.terminate()
        await sandbox.delete()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


async def test_a_stuck_holder_is_killed_at_stop(sandbox):
    await sandbox.start_run(spec("sleep 1000"))
    os.kill(sandbox._state.read("holder.json")["pid"], signal.SIGSTOP)
    async with asyncio.timeout(15):
        await sandbox.terminate()
    assert await sandbox.status() is SandboxStatus.STOPPED


async def test_another_process_attaches_and_follows(working_dir, sandbox):
    request = spec("echo shared; sleep 0.1; exit 8")
    await sandbox.start_run(request)
    other = LocalProvider(LocalSettings(working_dir=working_dir))
    session = await other.attach(sandbox.sandbox_id)
    result = await follow(session, request.run_id)
    assert (result.out, result.exit.exit_code) == (b"shared\n", 8)
    await session.close()
    assert await sandbox.status() is SandboxStatus.RUNNING
