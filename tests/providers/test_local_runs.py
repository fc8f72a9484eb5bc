"""Runs: byte-exact output, true ends, once only, and followers that come and go."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from uuid import uuid4

import pytest

from providers.contract import RunEnd, RunNotFound, RunOutput

from .helpers import follow, run, spec


async def test_binary_output_is_byte_exact(sandbox):
    data = random.Random(7).randbytes(300_000)
    (sandbox._state.path / "home" / "data").write_bytes(data)
    result = await run(sandbox, "cat data; cat data >&2; printf '\\0\\xff\\r'")
    assert result.out == data + b"\0\xff\r"
    assert result.err == data


async def test_one_line_of_ten_megabytes(sandbox):
    result = await run(sandbox, "head -c 10485760 /dev/zero | tr '\\0' x")
    assert result.exit.stdout_bytes == 10485760
    assert hashlib.sha256(result.out).digest() == hashlib.sha256(b"x" * 10485760).digest()


async def test_output_arrives_while_the_command_runs(sandbox):
    request = spec("echo first; sleep 1000")
    await sandbox.start_run(request)
    events = sandbox.follow_run(request.run_id, {"stdout": 0, "stderr": 0})
    async with asyncio.timeout(5):
        assert await anext(events) == RunOutput("stdout", 0, b"first\n")
    await events.aclose()


async def test_following_again_from_an_offset_yields_the_rest(sandbox):
    request = spec("printf 0123456789; printf abc >&2")
    await sandbox.start_run(request)
    whole = await follow(sandbox, request.run_id)
    rest = await follow(sandbox, request.run_id, stdout=4, stderr=3)
    assert (whole.out, rest.out, rest.err) == (b"0123456789", b"456789", b"")
    assert rest.exit == whole.exit


async def test_a_run_id_is_started_once(sandbox):
    request = spec("echo x >> count; sleep 0.05")
    answers = await asyncio.gather(*(sandbox.start_run(request) for _ in range(5)))
    assert sorted(answer.started for answer in answers) == [False] * 4 + [True]
    assert len({answer.started_at for answer in answers}) == 1
    await follow(sandbox, request.run_id)
    assert not (await sandbox.start_run(request)).started
    await sandbox.terminate()
    await sandbox.wake_up()
    assert not (await sandbox.start_run(request)).started
    assert (await run(sandbox, "wc -l < count")).out.strip() == b"1"


async def test_a_signal_is_reported_as_such(sandbox):
    result = await run(sandbox, "kill -SEGV $$")
    assert (result.exit.exit_code, result.exit.signal) == (None, 11)
    assert result.exit.end is RunEnd.EXITED


async def test_signal_run_reaches_the_process(sandbox):
    request = spec("trap 'echo got; exit 7' USR1; echo ready; while :; do sleep 0.02; done")
    await sandbox.start_run(request)
    events = sandbox.follow_run(request.run_id, {})
    await anext(events)
    await sandbox.signal_run(request.run_id, 10)
    await events.aclose()
    result = await follow(sandbox, request.run_id)
    assert (result.out, result.exit.exit_code) == (b"ready\ngot\n", 7)


async def test_a_command_that_forks_away_and_closes_its_output(sandbox):
    began = time.monotonic()
    script = "(sleep 0.5; echo late; echo done > flag) & exec >&- 2>&-; exit 5"
    result = await run(sandbox, script)
    assert result.exit.exit_code == 5
    assert result.out == b""
    assert time.monotonic() - began < 0.45
    waiting = await run(sandbox, "while [ ! -e flag ]; do sleep 0.02; done; cat flag", timeout=5)
    assert waiting.out == b"done\n"


async def test_a_background_process_outlives_its_run_and_is_seen_by_the_next(sandbox):
    began = time.monotonic()
    # It writes far more than a pipe holds after its run has ended: it must neither block nor die.
    script = "setsid sh -c 'head -c 3000000 /dev/zero; echo lived > flag; sleep 1000' & echo away"
    result = await run(sandbox, script)
    assert result.out.replace(b"\0", b"") == b"away\n"
    assert time.monotonic() - began < 2
    seen = await run(
        sandbox, "while [ ! -e flag ]; do sleep 0.02; done; pgrep -f 'sleep 1000'", timeout=5
    )
    assert seen.exit.exit_code == 0
    await sandbox.terminate()
    await sandbox.wake_up()
    assert (await run(sandbox, "pgrep -f 'sleep 1000'")).exit.exit_code == 1


async def test_redirecting_to_dev_stderr_truncates_nothing(sandbox):
    result = await run(sandbox, "echo one >&2; echo two > /dev/stderr; echo three >&2")
    assert result.err == b"one\ntwo\nthree\n"


async def test_a_command_longer_than_one_argument(sandbox):
    text = "x" * 1_000_000
    result = await run(sandbox, f"v={text}; echo ${{#v}}; exit 9")
    assert (result.out, result.exit.exit_code) == (b"1000000\n", 9)


async def test_working_dir_and_environment(create):
    sandbox = await create(environment={"BASE": "b", "BOTH": "base"})
    result = await run(
        sandbox,
        "pwd; echo $BASE $BOTH $OWN",
        working_dir="/usr/lib",
        environment={"BOTH": "run", "OWN": "o w\nn"},
    )
    assert result.out == b"/usr/lib\nb run o w n\n"
    await run(sandbox, "mkdir sub")
    assert (await run(sandbox, "pwd", working_dir="sub")).out == b"/home/user/sub\n"


async def test_fifty_at_once(sandbox):
    requests = [spec(f"echo {n}; sleep 0.2; echo {n} >&2; exit {n}") for n in range(50)]
    await asyncio.gather(*(sandbox.start_run(r) for r in requests))
    results = await asyncio.gather(*(follow(sandbox, r.run_id) for r in requests))
    for number, result in enumerate(results):
        assert result.out == result.err == f"{number}\n".encode()
        assert result.exit.exit_code == number


async def test_several_followers_see_the_same(sandbox):
    request = spec("for i in 1 2 3 4 5; do echo $i; sleep 0.05; done")
    await sandbox.start_run(request)
    results = await asyncio.gather(*(follow(sandbox, request.run_id) for _ in range(8)))
    assert {result.out for result in results} == {b"1\n2\n3\n4\n5\n"}


async def test_an_unknown_run(sandbox):
    for run_id in (uuid4().hex, "../../etc", ""):
        with pytest.raises(RunNotFound):
            await follow(sandbox, run_id)
        with pytest.raises(RunNotFound):
            await sandbox.cancel_run(run_id, 1)
        with pytest.raises(RunNotFound):
            await sandbox.write_stdin(run_id, 0, b"", True)


async def test_execute_is_grainchains(sandbox):
    result = await sandbox.execute("echo hi; exit 4")
    assert (result.stdout, result.return_code, result.success) == ("hi\n", 4, False)
