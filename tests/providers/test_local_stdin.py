"""Standard input: exactly once, bounded, with an end."""

from __future__ import annotations

import asyncio
import random

from .helpers import follow, run, spec


async def test_bytes_arrive_once_and_in_order(sandbox):
    data = random.Random(3).randbytes(5_000_000)
    request = spec("cat > copy", stdin=True)
    await sandbox.start_run(request)
    taken = 0
    async with asyncio.timeout(20):
        while taken < len(data):
            part = data[taken : taken + 700_000]
            first = await sandbox.write_stdin(request.run_id, taken, part, False)
            # The same bytes once more, as after a lost answer.
            again = await sandbox.write_stdin(request.run_id, taken, part, False)
            assert taken <= first <= again
            taken = again
    await sandbox.write_stdin(request.run_id, taken, b"", True)
    assert (await follow(sandbox, request.run_id)).exit.exit_code == 0
    assert (sandbox._state.path / "home" / "copy").read_bytes() == data


async def test_the_buffer_is_bounded(sandbox):
    request = spec("sleep 1000", stdin=True)
    await sandbox.start_run(request)
    taken = 0
    for _ in range(8):
        part = b"x" * 1_000_000
        taken = await sandbox.write_stdin(request.run_id, taken, part, False)
    # 1 MiB in the holder, and what the pipe itself holds.
    assert 1024 * 1024 <= taken <= 1024 * 1024 + 65536
    await sandbox.cancel_run(request.run_id, 0)
    await follow(sandbox, request.run_id)
    assert await sandbox.write_stdin(request.run_id, taken, b"late", True) == taken + 4


async def test_end_of_input(sandbox):
    request = spec("cat; echo end", stdin=True)
    await sandbox.start_run(request)
    assert await sandbox.write_stdin(request.run_id, 0, b"line\n", True) == 5
    assert (await follow(sandbox, request.run_id)).out == b"line\nend\n"


async def test_a_command_that_closes_its_input_is_not_harmed(sandbox):
    request = spec("exec <&-; sleep 0.2; echo fine", stdin=True)
    await sandbox.start_run(request)
    taken = 0
    for _ in range(5):
        await asyncio.sleep(0.02)
        taken = await sandbox.write_stdin(request.run_id, taken, b"y" * 100_000, False)
    result = await follow(sandbox, request.run_id)
    assert (result.out, result.exit.exit_code) == (b"fine\n", 0)


async def test_without_stdin_it_is_dev_null(sandbox):
    assert (await run(sandbox, "readlink /proc/self/fd/0; cat")).out == b"/dev/null\n"


async def test_a_hole_in_the_positions_is_not_taken(sandbox):
    request = spec("cat", stdin=True)
    await sandbox.start_run(request)
    assert await sandbox.write_stdin(request.run_id, 10, b"later", False) == 0
    await sandbox.write_stdin(request.run_id, 0, b"now", True)
    assert (await follow(sandbox, request.run_id)).out == b"now"
