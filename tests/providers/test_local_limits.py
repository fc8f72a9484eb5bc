"""Limits that really hold: by cgroup where the worker may, by the watchdog otherwise."""

from __future__ import annotations

import asyncio
import errno
import os
from uuid import uuid4

import pytest

from providers.contract import RunRefused, SandboxConfig
from providers.local.provider import LocalProvider, LocalSettings

from .helpers import run, spec

MIB = 1024 * 1024
HOG = 'python3 -c "b = [bytearray(1 << 20) for _ in range({})]; print(len(b))"'
FORKS = """python3 -c "
import os, time
made = 0
try:
    while made < 500:
        if os.fork() == 0:
            time.sleep(1000)
        made += 1
except OSError as error:
    print(error.errno, made, flush=True)
os.killpg(0, 9)
" """


@pytest.fixture(params=["auto", "watchdog"])
async def limited(request, working_dir):
    """Make sandboxes under each mechanism."""
    settings = LocalSettings(working_dir=working_dir, limits_mechanism=request.param)
    provider = LocalProvider(settings)
    made = []

    async def make(**config):
        made.append(await provider.create_sandbox(SandboxConfig(uuid4().hex, config)))
        return made[-1]

    yield make
    for session in made:
        await session.delete()


async def test_memory(limited):
    sandbox = await limited(memory_mb=128)
    fine = await run(sandbox, HOG.format(60))
    assert fine.out == b"60\n"
    result = await run(sandbox, HOG.format(1500) + "; echo after $?")
    assert b"1500" not in result.out
    # The sandbox, its holder and the shell live on.
    assert result.out == b"after 137\n"
    assert (await run(sandbox, "echo alive")).out == b"alive\n"


async def test_files_in_tmp_are_bounded(limited):
    sandbox = await limited(memory_mb=128)
    result = await run(sandbox, "head -c 200000000 /dev/zero > /tmp/big")
    assert result.exit.exit_code != 0
    assert (await run(sandbox, "rm /tmp/big; echo alive")).out == b"alive\n"


async def test_processes(limited):
    sandbox = await limited(processes=32)
    request = spec(FORKS, timeout=20)
    await sandbox.start_run(request)
    events = sandbox.follow_run(request.run_id, {})
    error, made = map(int, (await anext(events)).data.split())
    await events.aclose()
    assert error == errno.EAGAIN
    assert 20 <= made <= 32


async def test_a_fork_bomb_is_survived(limited):
    sandbox = await limited(processes=24)
    request = spec(":(){ :|:& };:; sleep 1000", timeout=1)
    await sandbox.start_run(request)
    refusals = []
    for _ in range(5):
        try:
            await sandbox.start_run(spec("true"))
        except RunRefused as refusal:
            refusals.append(refusal.code)
    assert set(refusals) <= {"process_limit"}
    await sandbox.terminate()
    await sandbox.wake_up()
    assert (await run(sandbox, "echo alive")).out == b"alive\n"


async def test_cpu_time(limited):
    sandbox = await limited(cpu_seconds=1)
    result = await run(sandbox, "while :; do :; done", timeout=20)
    assert (result.exit.exit_code, result.exit.signal) == (None, 9)
    assert result.exit.ended_at - result.exit.started_at < 6
    with pytest.raises(RunRefused) as caught:
        await sandbox.start_run(spec("true"))
    assert caught.value.code == "cpu_time_exhausted"
    await sandbox.terminate()
    await sandbox.wake_up()
    with pytest.raises(RunRefused):
        await sandbox.start_run(spec("true"))


async def test_disk(limited):
    sandbox = await limited(disk_mb=32)
    result = await run(
        sandbox, "for i in $(seq 400); do head -c 1000000 /dev/zero > f$i; sleep 0.01; done"
    )
    assert result.exit.signal == 9
    home = sandbox._state.path / "home"
    assert sum(p.stat().st_blocks * 512 for p in home.iterdir()) < 120 * MIB
    record = sandbox._state.path / "runs"
    assert any(b'"limit": "disk"' in p.read_bytes() for p in record.glob("*/exit.json"))
    # Over the limit a command may delete, but not grow.
    assert (await run(sandbox, "echo more > new")).exit.exit_code != 0
    assert (await run(sandbox, "rm -f f*; echo freed")).out == b"freed\n"
    async with asyncio.timeout(10):
        while (await run(sandbox, "echo again > new")).exit.exit_code != 0:
            await asyncio.sleep(0.05)


async def test_one_file_over_the_disk_limit(limited):
    sandbox = await limited(disk_mb=16)
    result = await run(sandbox, "head -c 100000000 /dev/zero > big; stat -c %s big")
    assert int(result.out or b"0") <= 17 * MIB


async def test_groups_are_removed(limited):
    sandbox = await limited()
    folders = sandbox._state.read("holder.json")["cgroups"]
    await sandbox.terminate()
    assert not [folder for folder in folders if os.path.exists(folder)]
