"""The host's disk full: a command waits, loses no byte, and ends truly; a start is refused."""

from __future__ import annotations

import asyncio
import subprocess
from uuid import uuid4

import pytest

from providers.contract import RunRefused, SandboxConfig
from providers.local.provider import LocalProvider, LocalSettings
from providers.local.shutdown import stop_all

from .helpers import follow, needs_root, run, spec

MIB = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 16 MiB."""
    path = tmp_path / "small"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "small", path], check=True)
    yield path
    stop_all(path / "sandboxes")
    subprocess.run(["umount", "-l", path], check=True)


@needs_root
async def test_output_waits_for_space(small_disk):
    provider = LocalProvider(LocalSettings(working_dir=small_disk / "sandboxes"))
    session = await provider.create_sandbox(SandboxConfig(uuid4().hex))
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 12 * MIB)
    request = spec("seq 1 1000000; exit 21")
    await session.start_run(request)
    journal = small_disk / "sandboxes" / session.sandbox_id / "runs" / request.run_id / "stdout"
    async with asyncio.timeout(10):
        while journal.stat().st_size < 3 * MIB:
            await asyncio.sleep(0.02)
    following = asyncio.create_task(follow(session, request.run_id))
    await asyncio.sleep(0.4)  # past one retry of the holder
    assert not following.done()

    with pytest.raises(RunRefused) as caught:
        await session.start_run(spec("true"))
    assert caught.value.code == "disk_full"

    filler.unlink()
    result = await asyncio.wait_for(following, 10)
    assert result.out == b"".join(b"%d\n" % n for n in range(1, 1_000_001))
    assert result.exit.exit_code == 21
    assert result.gaps == []
    assert (await run(session, "echo fine")).out == b"fine\n"
    await session.delete()


@needs_root
async def test_stop_does_not_wait_for_space(small_disk):
    provider = LocalProvider(LocalSettings(working_dir=small_disk / "sandboxes"))
    session = await provider.create_sandbox(SandboxConfig(uuid4().hex))
    (small_disk / "filler").write_bytes(b"x" * 12 * MIB)
    request = spec("seq 1 100000000")
    await session.start_run(request)
    await asyncio.sleep(0.3)
    async with asyncio.timeout(8):
        await session.terminate()
    result = await follow(session, request.run_id)
    assert result.exit.end == "sandbox_stopped"
    await session.delete()
