"""Small clients for a running portal: the API, and the socket."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import defaultdict
from typing import Any

import httpx
import websockets


class Api:
    """The REST API with one person's token."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        headers = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=90)

    def ok(self, method: str, path: str, **kwargs: Any) -> Any:
        """The JSON of an answer below 400."""
        answer = self.http.request(method, path, **kwargs)
        assert answer.status_code < 400, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def sandbox(self, **body: Any) -> dict[str, Any]:
        """Create a sandbox and wait until it runs."""
        made = self.ok("POST", "/sandboxes", json={"provider": "local", **body})
        found = self.ok("GET", f"/sandboxes/{made['id']}", params={"wait": 60})
        assert found["state"] == "running", found
        return found

    def run(self, sandbox: dict[str, Any], command: str, **body: Any) -> dict[str, Any]:
        """Start a command."""
        path = f"/sandboxes/{sandbox['id']}/commands"
        return self.ok("POST", path, json={"command": command, **body})

    def wait(self, command: dict[str, Any], seconds: int = 60) -> dict[str, Any]:
        """The command once it has ended (or as it is after so many seconds)."""
        return self.ok("GET", f"/commands/{command['id']}", params={"wait": seconds})

    def output(self, command: dict[str, Any], stream: str = "stdout", offset: int = 0) -> bytes:
        """Stored bytes of a stream."""
        params = {"stream": stream, "offset": offset}
        answer = self.http.get(f"/commands/{command['id']}/output", params=params)
        assert answer.status_code == 200, answer.text
        return answer.content


class Socket:
    """The portal's socket, as a program uses it."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.replace("http", "ws", 1) + "/ws/"
        self.headers = {"Authorization": f"Bearer {token}"}
        self.output: dict[tuple[str, str], bytearray] = defaultdict(bytearray)
        self.messages: list[dict[str, Any]] = []

    async def __aenter__(self) -> Socket:
        self.connection = await websockets.connect(
            self.url, additional_headers=self.headers, max_size=None, compression=None
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.connection.close()

    async def say(self, op: str, **fields: Any) -> None:
        """Send one message."""
        await self.connection.send(json.dumps({"op": op, **fields}))

    async def next(self, seconds: float = 20) -> dict[str, Any] | tuple[str, str, int, bytes]:
        """The next frame: a message, or (command, stream, offset, bytes), which is acknowledged."""
        frame = await asyncio.wait_for(self.connection.recv(), seconds)
        if isinstance(frame, str):
            message = json.loads(frame)
            self.messages.append(message)
            return message
        stream = {1: "stdout", 2: "stderr"}[frame[0]]
        command = str(uuid.UUID(bytes=frame[1:17]))
        offset, data = int.from_bytes(frame[17:25], "big"), frame[25:]
        kept = self.output[command, stream]
        assert offset == len(kept), f"{stream} from {offset}, expected {len(kept)}"
        kept += data
        await self.ack(command)
        return command, stream, offset, data

    async def ack(self, command: str) -> None:
        """Say that everything received is drawn."""
        lengths = {s: len(self.output[command, s]) for s in ("stdout", "stderr")}
        await self.say("ack", command=command, **lengths)

    async def until(self, op: str, seconds: float = 20, **fields: Any) -> dict[str, Any]:
        """Read on to the first message of that kind with those fields."""
        async with asyncio.timeout(seconds):
            while True:
                got = await self.next(seconds)
                wanted = {"op": op, **fields}
                if isinstance(got, dict) and wanted.items() <= got.items():
                    return got
