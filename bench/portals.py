"""Portals to measure: real processes in a folder of their own, one person, some sandboxes."""

from __future__ import annotations

import json
import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.client import Socket
from tests.support.portal import Portal, wait_until

EMAIL, PASSWORD = "bench@example.org", "correct-horse-9"
TICKS = os.sysconf("SC_CLK_TCK")

MAKE_SANDBOXES = """
import json, time
from accounts.models import User
from sandboxes import actions
from sandboxes.models import Sandbox
user = User.objects.get(email={email!r})
made = [
    actions.create_sandbox(user, provider="local", config=json.loads({config!r})).pk
    for _ in range({count})
]
rows = Sandbox.objects.filter(pk__in=made)
deadline = time.monotonic() + 60
while rows.exclude(state="running").exists() and time.monotonic() < deadline:
    assert not rows.filter(state="failed").exists(), list(rows.values_list("reason", flat=True))
    time.sleep(0.1)
print("made", *made)
"""


class Measured:
    """A running portal, and what one person holds in it."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.token = portal.add_user(EMAIL, PASSWORD)

    def sandboxes(self, count: int = 1, **config: Any) -> list[str]:
        """Ids of so many new running sandboxes."""
        script = MAKE_SANDBOXES.format(email=EMAIL, count=count, config=json.dumps(config))
        last = self.portal.manage("shell", "-c", script).splitlines()[-1]
        return last.split()[1:]

    @property
    def redis_url(self) -> str:
        """Where its Redis-compatible server listens."""
        sock = self.portal.folder / "data" / "run" / "redis.sock"
        return self.portal.env.get("REDIS_URL") or f"unix://{sock}"

    def socket(self) -> Socket:
        """A socket, as a program uses it."""
        return Socket(self.portal.url, self.token)

    def rss(self) -> dict[str, float]:
        """MiB of each process."""
        return {name: self.portal.rss(name) / 1024**2 for name in self.portal.processes}

    def cpu(self) -> dict[str, float]:
        """CPU seconds of each process so far."""
        return {name: cpu_seconds(p.pid) for name, p in self.portal.processes.items()}


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process, its ended children not counted."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def raise_descriptor_limit(wanted: int = 16384) -> int:
    """Let this process and those it starts open many sockets; returns what was to be had."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    path = Path(tempfile.mkdtemp(prefix="gcbench-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def running(server: str = "daphne", static: bool = False, **environment: str) -> Iterator[Measured]:
    """A portal that is ready; ended afterwards, its logs shown if anything went wrong.

    Args:
        static: whether pages are asked for, which need their collected scripts and styles.
    """
    with folder() as path:
        portal = Portal(path / "portal", server, **environment)
        try:
            portal.prepare()
            if static:
                portal.manage("collectstatic", "--noinput", "--verbosity", "0")
            portal.start().wait_ready()
            yield Measured(portal)
        except BaseException:
            print(portal.logs(20), flush=True)
            raise
        finally:
            portal.stop()


__all__ = ["Measured", "cpu_seconds", "folder", "raise_descriptor_limit", "running", "wait_until"]
