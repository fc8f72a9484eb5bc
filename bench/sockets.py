"""Sockets that receive much and keep nothing: every byte is compared as it comes."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import websockets

from tests.support.client import Socket

STDOUT = 1
HEAD = 25
# As a page does: not every frame, but well before the window is used up.
ACK_BYTES = 256 * 1024


class Receiver:
    """Follows one command; counts what is right, names the first thing that is wrong."""

    def __init__(self, url: str, token: str, expected: memoryview) -> None:
        self._url = url.replace("http", "ws", 1) + "/ws/"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._expected = expected
        self.received = self.skipped = self.frames = 0
        self.wrong = ""
        self.ended_at = 0.0

    async def open(self) -> None:
        """Connect and take the greeting."""
        self._connection = await websockets.connect(
            self._url, additional_headers=self._headers, max_size=None, compression=None
        )
        await self._connection.recv()

    async def close(self) -> None:
        """Hang up."""
        await self._connection.close()

    async def follow(self, command: str) -> None:
        """Ask for a command's output from its first byte."""
        self._command = command
        await self._say("follow", stdout=0, stderr=0)

    async def receive(self) -> None:
        """Everything up to the command's end."""
        offset = acknowledged = 0
        while not self.ended_at:
            frame = await self._connection.recv()
            if isinstance(frame, bytes):
                offset = self._output(frame, offset)
            else:
                offset = self._message(json.loads(frame), offset)
            if offset - acknowledged >= ACK_BYTES:
                await self._say("ack", stdout=offset, stderr=0)
                acknowledged = offset
        if offset != len(self._expected):
            self.wrong = self.wrong or f"ended at {offset} of {len(self._expected)}"

    def _output(self, frame: bytes, offset: int) -> int:
        start, view = int.from_bytes(frame[17:HEAD], "big"), memoryview(frame)[HEAD:]
        end = start + len(view)
        if frame[0] != STDOUT or start != offset or view != self._expected[start:end]:
            self.wrong = self.wrong or f"stream {frame[0]}, {start} to {end}, expected {offset}"
        self.received += len(view)
        self.frames += 1
        return end

    def _message(self, message: dict[str, Any], offset: int) -> int:
        if message["op"] == "gap":
            if message["start"] != offset:
                self.wrong = self.wrong or f"gap from {message['start']}, expected {offset}"
            self.skipped += message["end"] - message["start"]
            return message["end"]
        if message["op"] == "end":
            self.ended_at = time.monotonic()
            if message["exit_code"] != 0:
                self.wrong = self.wrong or f"ended as {message}"
        elif message["op"] in ("error", "resync"):
            self.wrong = self.wrong or str(message)
        return offset

    async def _say(self, op: str, **fields: Any) -> None:
        await self._connection.send(json.dumps({"op": op, "command": self._command, **fields}))


class Stalled:
    """Follows a command and then neither reads nor acknowledges."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.replace("http", "ws", 1) + "/ws/"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def open(self, command: str) -> None:
        """Connect, follow, and stop reading from the connection at all."""
        self._connection = await websockets.connect(
            self._url,
            additional_headers=self._headers,
            max_size=None,
            compression=None,
            ping_interval=None,
        )
        message = {"op": "follow", "command": command, "stdout": 0, "stderr": 0}
        await self._connection.send(json.dumps(message))
        self._connection.transport.pause_reading()

    def abort(self) -> None:
        """Go without a goodbye."""
        self._connection.transport.abort()


async def run(socket: Socket, sandbox: str, command: str) -> str:
    """Start a command and return its id."""
    await socket.say("run", sandbox=sandbox, command=command)
    return (await socket.until("started"))["command"]


async def run_to_end(socket: Socket, sandbox: str, command: str, seconds: float = 60) -> Any:
    """Run a command and return its end."""
    ident = await run(socket, sandbox, command)
    return await socket.until("end", seconds, command=ident)


async def receive_all(receivers: list[Receiver], seconds: float) -> None:
    """All of them to the end."""
    async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
        for receiver in receivers:
            group.create_task(receiver.receive())
