"""Create, stop, start, delete: what stays, what goes, and doing it twice."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from providers.contract import (
    RunEnd,
    SandboxConfig,
    SandboxGone,
    SandboxStatus,
    SandboxStorageLost,
)
from providers.local.shutdown import stop_all

from .helpers import follow, run, spec


async def test_a_sandbox_runs_a_command(sandbox):
    result = await run(sandbox, "echo out; echo err >&2; exit 3")
    assert (result.out, result.err) == (b"out\n", b"err\n")
    assert result.exit.end is RunEnd.EXITED
    assert result.exit.exit_code == 3
    assert (result.exit.stdout_bytes, result.exit.stderr_bytes) == (4, 4)
    assert await sandbox.status() is SandboxStatus.RUNNING


async def test_create_twice_yields_the_same_sandbox(provider, create):
    sandbox_id = uuid4().hex
    first = await create(sandbox_id)
    await run(first, "echo here > note")
    pid = first._state.read("holder.json")["pid"]
    second = await provider.create_sandbox(SandboxConfig(sandbox_id))
    assert second._state.read("holder.json")["pid"] == pid
    assert (await run(second, "cat note")).out == b"here\n"
    assert await provider.list_sandboxes() == [sandbox_id]


async def test_two_creates_at_once_start_one_holder(provider, create):
    sandbox_id = uuid4().hex
    sessions = await asyncio.gather(*(create(sandbox_id) for _ in range(4)))
    answers = await asyncio.gather(*(run(s, "ps -e -o pid= | sort -n | head -1") for s in sessions))
    assert {answer.out.strip() for answer in answers} == {b"1"}
    await run(sessions[0], "echo one > /tmp/mark")
    assert (await run(sessions[3], "cat /tmp/mark")).out == b"one\n"


async def test_a_create_that_crashed_half_way_is_completed(provider, create, working_dir):
    sandbox_id = uuid4().hex
    (working_dir / sandbox_id / "home").mkdir(parents=True)
    session = await create(sandbox_id)
    assert (await run(session, "echo fine")).out == b"fine\n"


async def test_stop_keeps_files_and_journals_and_start_brings_them_back(provider, sandbox):
    before = await run(sandbox, "echo kept > file; echo said", run_id=uuid4().hex)
    assert before.exit
    running = spec("echo begun; sleep 1000")
    await sandbox.start_run(running)
    await sandbox.terminate()
    assert await sandbox.status() is SandboxStatus.STOPPED
    ended = await follow(sandbox, running.run_id)
    assert ended.exit.end is RunEnd.SANDBOX_STOPPED
    with pytest.raises(SandboxGone):
        await sandbox.start_run(spec("true"))
    await sandbox.terminate()
    await sandbox.wake_up()
    await sandbox.wake_up()
    assert (await run(sandbox, "cat file")).out == b"kept\n"
    assert (await follow(sandbox, running.run_id)).exit == ended.exit


async def test_delete_removes_everything_and_may_be_repeated(provider, create, working_dir):
    session = await create()
    await session.start_run(spec("sleep 1000"))
    await session.delete()
    assert await session.status() is SandboxStatus.GONE
    assert not (working_dir / session.sandbox_id).exists()
    await session.delete()
    assert await provider.list_sandboxes() == []


async def test_delete_copes_with_whatever_a_user_left(create, working_dir):
    session = await create()
    mess = (
        "mkdir -p shut/inner; touch shut/inner/file; chmod 0 shut/inner shut; "
        "ln -s /etc/passwd link; mkfifo pipe; "
        "python3 -c \"import os\nfor i in range(3000): os.mkdir('d'*20); os.chdir('d'*20)\"; "
        "mkdir many; cd many; seq 5000 | xargs touch; printf x > $'new\\nline'"
    )
    result = await run(session, mess)
    assert result.exit.exit_code == 0, result.err
    await session.delete()
    assert [path.name for path in working_dir.iterdir()] in ([], [".uids"])


async def test_a_removed_folder_is_a_typed_error_everywhere(provider, create, working_dir):
    import shutil

    session = await create()
    done = spec("true")
    await session.start_run(done)
    shutil.rmtree(working_dir / session.sandbox_id)
    assert await session.status() is SandboxStatus.GONE
    for call in (
        session.start_run(spec("true")),
        session.wake_up(),
        session.cancel_run(done.run_id, 1),
        session.write_stdin(done.run_id, 0, b"x", False),
        follow(session, done.run_id),
    ):
        with pytest.raises(SandboxStorageLost):
            await call
    await session.terminate()
    await session.delete()


async def test_stop_all_stops_many_quickly(provider, create, working_dir):
    sessions = await asyncio.gather(*(create() for _ in range(12)))
    await asyncio.gather(*(s.start_run(spec("trap '' TERM; sleep 1000")) for s in sessions))
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await asyncio.to_thread(stop_all, working_dir) == 12
    assert loop.time() - began < 8
    assert {await s.status() for s in sessions} == {SandboxStatus.STOPPED}
    assert stop_all(working_dir) == 0
