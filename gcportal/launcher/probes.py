"""Does it answer? Small questions to Redis and to the web process, with the standard library."""

from __future__ import annotations

import asyncio
from pathlib import Path

ANSWER_SECONDS = 5.0


async def redis_answers(socket: Path) -> bool:
    """A Redis-compatible server says PONG on this socket."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            try:
                writer.write(b"PING\r\n")
                return (await reader.readline()).startswith(b"+PONG")
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


async def http_answer(host: str, port: int, path: str, name: str) -> tuple[int, str]:
    """Status and start of the body of a GET; status 0 when nothing answers.

    Args:
        name: the host name to ask for, which ``ALLOWED_HOSTS`` must hold.
    """
    request = f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request.encode())
                answer = await reader.read(65536)
                while len(answer) < 65536 and (more := await reader.read(65536)):
                    answer += more
            finally:
                writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), body.decode(errors="replace")[:300].strip()
    except (OSError, TimeoutError, ValueError, IndexError):
        return 0, ""


def host_name(allowed: tuple[str, ...]) -> str:
    """A name that the portal accepts as its own."""
    for name in allowed:
        if "*" not in name:
            return name.lstrip(".")
    return "localhost"
