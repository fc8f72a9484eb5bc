"""Beyond the output limit head and tail stay, the middle is counted, and the disk stops growing."""

from __future__ import annotations

import asyncio
import hashlib

from .helpers import follow, run, spec

MIB = 1024 * 1024
COUNTER = "python3 -c \"import sys; [sys.stdout.write('%07d\\n' % n) for n in range({})]\""


def lines(start: int, end: int) -> bytes:
    """Bytes ``start`` to ``end`` of what COUNTER writes."""
    first, last = start // 8, -(-end // 8)
    text = b"".join(b"%07d\n" % n for n in range(first, last))
    return text[start - first * 8 : end - first * 8]


async def test_head_and_tail_are_kept_exactly(sandbox):
    total, limit = 4_000_000 * 8, 4 * MIB
    request = spec(COUNTER.format(4_000_000) + "; exit 6", output_limit=limit)
    await sandbox.start_run(request)
    live = await follow(sandbox, request.run_id)
    assert (live.exit.exit_code, live.exit.stdout_bytes) == (6, total)
    late = await follow(sandbox, request.run_id)
    half = limit // 2
    assert [(gap.start, gap.end) for gap in late.gaps] == [(half, total - half)]
    assert late.out == lines(0, half) + lines(total - half, total)
    journal = sandbox._state.path / "runs" / request.run_id / "stdout"
    assert journal.stat().st_size == total
    assert journal.stat().st_blocks * 512 < limit + MIB
    middle = await follow(sandbox, request.run_id, stdout=half + 1000)
    assert [(gap.start, gap.end) for gap in middle.gaps] == [(half + 1000, total - half)]


async def test_a_live_follower_never_gets_a_wrong_byte(sandbox):
    request = spec(COUNTER.format(4_000_000), output_limit=MIB)
    await sandbox.start_run(request)
    position = 0
    async for event in sandbox.follow_run(request.run_id, {"stdout": 0, "stderr": 0}):
        if hasattr(event, "data"):
            assert event.offset == position
            digest = hashlib.sha256(event.data).digest()
            end = position + len(event.data)
            assert digest == hashlib.sha256(lines(position, end)).digest()
            position = end
            await asyncio.sleep(0.005)  # a slow reader falls behind the hole
        elif hasattr(event, "start"):
            assert event.start == position
            position = event.end
    assert position == 4_000_000 * 8


async def test_each_stream_has_its_own_limit(sandbox):
    result = await run(sandbox, "seq 1 200000; seq 1 10 >&2", output_limit=100_000)
    assert result.err == b"".join(b"%d\n" % n for n in range(1, 11))
    assert result.out.startswith(b"1\n2\n")
    assert result.out.endswith(b"199999\n200000\n")


async def test_disk_stays_bounded_while_it_writes(sandbox):
    request = spec("head -c 400000000 /dev/zero; sleep 1000", output_limit=8 * MIB)
    await sandbox.start_run(request)
    journal = sandbox._state.path / "runs" / request.run_id / "stdout"
    most = 0
    async with asyncio.timeout(20):
        while journal.stat().st_size < 400000000:
            most = max(most, journal.stat().st_blocks * 512)
            await asyncio.sleep(0.005)
    assert 0 < most < 8 * MIB + 5 * MIB
    await sandbox.cancel_run(request.run_id, 0.1)
    assert (await follow(sandbox, request.run_id)).exit.stdout_bytes == 400000000
