"""The socket: who may open it, what it says, and that output is exact across reconnects."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid

import pytest
import websockets

from tests.support.client import Socket


@pytest.fixture
def ws(portal):
    return portal.url.replace("http", "ws", 1) + "/ws/"


async def _close_code(url: str, **options) -> int:
    try:
        async with websockets.connect(url, **options) as connection:
            await asyncio.wait_for(connection.recv(), 10)
    except websockets.InvalidStatus as refused:
        return refused.response.status_code
    except websockets.ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006
    return 0


async def _read_for(socket: Socket, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                await socket.next()


async def _unacknowledged(socket: Socket, quiet: float) -> int:
    """Bytes of output that come without an acknowledgement, until nothing more does."""
    received = 0
    with contextlib.suppress(TimeoutError):
        while True:
            frame = await asyncio.wait_for(socket.connection.recv(), quiet)
            received += len(frame) - 25 if isinstance(frame, bytes) else 0
    return received


async def _ping_for(socket: Socket, seconds: float) -> None:
    for _ in range(int(seconds * 2)):
        await socket.say("ping")
        await socket.next()
        await asyncio.sleep(0.5)


async def test_nobody_and_wrong_origins_are_refused(ws, owner):
    assert await _close_code(ws) == 403
    assert await _close_code(ws, origin="https://evil.example") == 403
    bad = {"Authorization": "Bearer gcp_wrong"}
    assert await _close_code(ws, additional_headers=bad) == 403
    assert await _close_code(ws + "other/") == 403
    good = {"Authorization": f"Bearer {owner.token}"}
    assert await _close_code(ws, additional_headers=good) == 0


async def test_run_and_watch(portal, owner, sandbox):
    async with Socket(portal.url, owner.token) as socket:
        await socket.say("run", ref=7, sandbox=sandbox["id"], command="echo a; sleep 0.5; echo b")
        started = await socket.until("started", ref=7)
        command = started["command"]
        got = [await socket.next() for _ in range(1)]
        assert isinstance(got[0], tuple), "the first line comes before the end"
        assert bytes(socket.output[command, "stdout"]) == b"a\n"
        end = await socket.until("end", command=command)
        assert (end["state"], end["exit_code"], end["stdout_bytes"]) == ("exited", 0, 4)
        assert bytes(socket.output[command, "stdout"]) == b"a\nb\n"


async def test_reconnect_goes_on_at_the_offset(portal, owner, sandbox):
    line = "for i in $(seq 1 40); do echo line $i; echo e$i >&2; sleep 0.05; done"
    command = owner.run(sandbox, line)["id"]
    kept: dict[tuple[str, str], bytearray] = {}
    for _ in range(4):
        async with Socket(portal.url, owner.token) as socket:
            socket.output.update(kept)
            offsets = {s: len(socket.output[command, s]) for s in ("stdout", "stderr")}
            await socket.say("follow", command=command, **offsets)
            await _read_for(socket, 0.4)
            kept = socket.output
    async with Socket(portal.url, owner.token) as socket:
        socket.output.update(kept)
        offsets = {s: len(socket.output[command, s]) for s in ("stdout", "stderr")}
        await socket.say("follow", command=command, **offsets)
        await socket.until("end", command=command)
        lines = "".join(f"line {n}\n" for n in range(1, 41)).encode()
        assert bytes(socket.output[command, "stdout"]) == lines
        errors = "".join(f"e{n}\n" for n in range(1, 41)).encode()
        assert bytes(socket.output[command, "stderr"]) == errors


async def test_a_client_that_does_not_acknowledge_is_sent_a_window(portal, owner, sandbox):
    async with Socket(portal.url, owner.token) as socket:
        line = "head -c 3000000 /dev/zero"
        await socket.say("run", ref=1, sandbox=sandbox["id"], command=line)
        command = (await socket.until("started"))["command"]
        received = await _unacknowledged(socket, 3)
        assert 0 < received <= 1024 * 1024 + 64 * 1024
        await socket.say("ack", command=command, stdout=received, stderr=0)
        frame = await asyncio.wait_for(socket.connection.recv(), 10)
        assert isinstance(frame, bytes), "it goes on after the acknowledgement"


async def test_hints_of_own_topics_only(portal, owner, stranger, sandbox):
    async with Socket(portal.url, stranger.token) as socket:
        for topic in (f"sandbox/{sandbox['id']}", f"team/{sandbox['team']}", "team/x", "nonsense"):
            await socket.say("watch", topics=[topic])
            error = await socket.until("error")
            assert error["code"].endswith("_not_found")
        for op in ("follow", "cancel", "stdin"):
            await socket.say(op, command=str(uuid.uuid4()))
            assert (await socket.until("error"))["code"] == "command_not_found"
        await socket.say("run", ref=2, sandbox=sandbox["id"], command="id")
        assert (await socket.until("error", ref=2))["code"] == "sandbox_not_found"
    async with Socket(portal.url, owner.token) as socket:
        await socket.say("watch", topics=[f"sandbox/{sandbox['id']}"])
        await socket.until("watching")
        owner.run(sandbox, "true")
        await socket.until("changed", topic=f"sandbox/{sandbox['id']}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        '{"op": "no"}',
        '{"op": "receive"}',
        '{"op": "follow", "command": 7}',
        '{"op": "follow", "command": "00000000-0000-0000-0000-000000000000", "stdout": -1}',
        '{"op": "watch", "topics": "x"}',
        '{"op": "run", "sandbox": null, "command": null}',
        json.dumps({"op": "ping", "padding": "x" * 300_000}),
    ],
)
async def test_nonsense_is_answered_and_the_socket_lives(portal, owner, text):
    async with Socket(portal.url, owner.token) as socket:
        await socket.connection.send(text)
        assert (await socket.until("error"))["code"]
        await socket.say("ping")
        await socket.until("pong")


async def test_a_revoked_token_closes_the_socket_at_the_next_check(portal, owner):
    token = portal.manage("api_token", "owner@example.org")
    async with Socket(portal.url, token) as socket:
        await socket.until("hello")
        portal.manage(
            "shell",
            "-v0",
            "-c",
            "from accounts.models import ApiToken; from accounts.actions import revoke_token;"
            f"revoke_token(None, ApiToken.objects.get(prefix='{token[:8]}'))",
        )
        with pytest.raises(websockets.ConnectionClosed):
            await _ping_for(socket, 20)
