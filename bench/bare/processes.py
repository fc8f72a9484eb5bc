"""Starting and ending the bare pipeline's processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from gcportal.launcher import services
from tests.support.portal import ROOT, free_port, wait_until

from ..portals import folder


def _commands(sock: Path, port: int) -> dict[str, list[str]]:
    python = [sys.executable, "-W", "ignore", "-m"]
    bind = ["--bind", "127.0.0.1", "--port", str(port)]
    app = ["celery", "--quiet", "--app", "bench.bare.app:celery", "worker", "--pool", "threads"]
    return {
        "redis": list(services.redis(services.redis_program(), sock)),
        "web": [*python, "daphne", "--verbosity", "0", *bind, "bench.bare.web:application"],
        "worker": [*python, *app, "--without-mingle", "--without-gossip"],
    }


def _answers(url: str) -> bool:
    try:
        httpx.get(url, timeout=2)
    except httpx.TransportError as error:
        # no HTTP application: the server hangs up, which also says that it is there
        return isinstance(error, httpx.RemoteProtocolError | httpx.ReadError)
    return True


@contextmanager
def running() -> Iterator[str]:
    """Its address."""
    with folder() as path:
        port, sock = free_port(), path / "redis.sock"
        env = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")}
        env["BENCH_REDIS_SOCKET"] = str(sock)
        started: list[subprocess.Popen[bytes]] = []
        try:
            for command in _commands(sock, port).values():
                with (path / "log").open("ab") as log:
                    started.append(
                        subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
                    )
            wait_until(lambda: _answers(f"http://127.0.0.1:{port}/"), 30, "the bare pipeline")
            yield f"http://127.0.0.1:{port}"
        finally:
            for process in reversed(started):
                process.terminate()
            for process in started:
                process.wait(20)
