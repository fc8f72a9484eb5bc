"""A real portal whose processes are killed, and commands whose every byte is known."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import Api
from tests.support.portal import Portal

# Writes pseudo-random bytes of a seed to both streams over some seconds, notes that it ran, and
# exits with a code of the seed.
WRITER = """
import os, random, sys, time
seed, seconds = int(sys.argv[1]), float(sys.argv[2])
with open(f"ran-{seed}", "a") as note:
    note.write("x")
source = random.Random(seed)
for step in range(40):
    for stream in (1, 2):
        data = source.randbytes(source.randrange(1, 9000))
        while data:
            data = data[os.write(stream, data):]
    time.sleep(seconds / 40)
sys.exit(seed % 100)
"""


def expected(seed: int) -> tuple[bytes, bytes]:
    """What the writer of that seed prints to stdout and stderr."""
    source = random.Random(seed)
    streams: tuple[list[bytes], list[bytes]] = ([], [])
    for _ in range(40):
        for stream in streams:
            stream.append(source.randbytes(source.randrange(1, 9000)))
    return b"".join(streams[0]), b"".join(streams[1])


@dataclass
class Fleet:
    """Commands under way and what must come of each."""

    api: Api
    sandboxes: list[dict[str, Any]]
    commands: dict[int, dict[str, Any]]
    started: float

    def check(self) -> None:
        """Every command ended with its true exit code, its exact bytes, and ran once."""
        for seed, command in self.commands.items():
            ended = self.api.wait(command)
            said = {key: ended[key] for key in ("state", "exit_code", "reason")}
            assert said == {"state": "exited", "exit_code": seed % 100, "reason": ""}, ended
            stdout, stderr = expected(seed)
            assert self.api.output(command, "stdout") == stdout
            assert self.api.output(command, "stderr") == stderr
            assert (ended["stdout_bytes"], ended["stderr_bytes"]) == (len(stdout), len(stderr))
        for sandbox in self.sandboxes:
            count = self.api.run(sandbox, "cat ran-* | wc -c; ls ran-* | wc -l")
            assert self.api.wait(count)["exit_code"] == 0
            runs, names = self.api.output(count).split()
            assert runs == names, "a command ran twice"

    def stored(self) -> int:
        """Bytes in the history by now."""
        rows = [self.api.ok("GET", f"/commands/{c['id']}") for c in self.commands.values()]
        return sum(row["stdout_stored"] + row["stderr_stored"] for row in rows)

    def recovery(self, since: float, seconds: float = 40) -> float:
        """Seconds from ``since`` until output is stored again (or all has ended)."""
        before = self.stored()
        while time.monotonic() - since < seconds:
            if self.stored() > before or not self.active():
                return time.monotonic() - since
            time.sleep(0.1)
        raise AssertionError(f"no output stored within {seconds} s")

    def active(self) -> int:
        """How many have not ended."""
        rows = [self.api.ok("GET", f"/commands/{c['id']}") for c in self.commands.values()]
        return sum(row["ended_at"] is None for row in rows)


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Started once; tests that kill a part of it start that part again."""
    portal = Portal(tmp_path_factory.mktemp("portal")).prepare()
    try:
        portal.start().wait_ready()
        yield portal
    finally:
        portal.stop()


@pytest.fixture(scope="session")
def token(portal: Portal) -> str:
    """An API token of a person of that portal."""
    return portal.add_user("operator@example.org")


@pytest.fixture
def api(portal: Portal, token: str) -> Iterator[Api]:
    """The API as that person."""
    api = Api(portal.url, token)
    yield api
    api.http.close()


@pytest.fixture
def sandboxes(api: Api) -> Iterator[list[dict[str, Any]]]:
    """Four running sandboxes."""
    made = [api.sandbox(name=f"fleet {number}") for number in range(4)]
    yield made
    for sandbox in made:
        api.ok("DELETE", f"/sandboxes/{sandbox['id']}")


@pytest.fixture
def launch(api: Api, sandboxes: list[dict[str, Any]]) -> Callable[..., Fleet]:
    """``launch(count, seconds)``: that many writers, spread over the sandboxes."""

    def start(count: int = 20, seconds: float = 8.0) -> Fleet:
        commands = {}
        first = random.randrange(1_000_000)
        for number in range(count):
            seed = first + number
            line = f"exec python3 - {seed} {seconds} <<'SCRIPT'\n{WRITER}\nSCRIPT"
            commands[seed] = api.run(sandboxes[number % len(sandboxes)], line)
        return Fleet(api, sandboxes, commands, time.monotonic())

    return start


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a measured figure past pytest's capture."""

    def say(text: str) -> None:
        with capsys.disabled():
            print(f"\n    {text}")

    return say


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 96 MiB of its own (needs root)."""
    if os.geteuid():
        pytest.skip("mounting a small file system needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    assert os.system(f"mount -t tmpfs -o size=96m tmpfs {folder}") == 0
    yield folder
    assert os.system(f"umount -l {folder}") == 0
