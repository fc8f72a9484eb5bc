"""What a sandbox sees and may do, tried from the inside."""

from __future__ import annotations

import os
from uuid import uuid4

import pytest

from providers.contract import IsolationUnavailable, SandboxConfig
from providers.local.provider import LocalProvider, LocalSettings

from .helpers import needs_root, run


async def test_nothing_of_the_host_is_visible(sandbox, monkeypatch, working_dir):
    result = await run(
        sandbox,
        f"ls -d /root /work /srv /opt /mnt /var/lib /sys/kernel /boot {working_dir} 2>/dev/null; "
        "ls /home /run; ls -A /home/user /tmp",
    )
    assert result.out.split() == [
        b"/home:", b"user", b"/run:", b"holder", b"/home/user:", b"/tmp:"
    ]  # fmt: skip


async def test_the_environment_is_clean(working_dir, monkeypatch):
    monkeypatch.setenv("PORTAL_SECRET", "do-not-leak")
    provider = LocalProvider(LocalSettings(working_dir=working_dir))
    session = await provider.create_sandbox(SandboxConfig(uuid4().hex))
    result = await run(session, "env; cat /proc/1/environ /proc/*/environ 2>/dev/null")
    assert b"do-not-leak" not in result.out
    names = {line.split(b"=")[0] for line in result.out.split(b"\0")[0].splitlines()}
    known = b"HOME PATH LANG TERM USER LOGNAME SHELL TMPDIR PWD SHLVL _ OLDPWD".split()
    assert names <= {*known}
    await session.delete()


async def test_the_system_is_read_only(sandbox):
    for path in ("/x", "/usr/x", "/etc/x", "/dev/x", "/run/x", "/run/holder/code/holder/x"):
        result = await run(sandbox, f"touch {path}")
        assert result.exit.exit_code == 1, path
    assert (await run(sandbox, "touch ~/x /tmp/x /dev/shm/x")).exit.exit_code == 0


async def test_the_holder_is_out_of_reach(sandbox):
    tries = (
        "ls /proc/1/fd; cat /proc/1/environ; cat /proc/1/mem; readlink /proc/1/cwd; "
        "ls /proc/1/root; for s in INT TERM HUP QUIT USR1 PIPE ALRM ABRT SEGV STOP TSTP KILL; "
        "do kill -$s 1; done; find / -path /usr -prune -o "
        "'(' -name holder.sock -o -name exit.json ')' -print 2>/dev/null"
    )
    result = await run(sandbox, tries)
    assert result.out == b""
    assert result.err.count(b"Permission denied") >= 4
    assert (await run(sandbox, "echo alive")).out == b"alive\n"
    assert (sandbox._state.path / "holder.log").read_text() == ""


async def test_a_command_holds_no_descriptor_of_the_holder(sandbox):
    result = await run(sandbox, "exec ls -l /proc/self/fd")
    targets = [line.split(b" -> ")[1] for line in result.out.splitlines() if b" -> " in line]
    # The fourth is the folder that ls itself reads.
    assert [target.split(b":")[0] for target in targets[:3]] == [b"/dev/null", b"pipe", b"pipe"]
    assert len(targets) == 4
    assert targets[3].startswith(b"/proc/")


async def test_no_capability_and_no_way_to_get_one(sandbox):
    result = await run(
        sandbox, "grep -E '^Cap|NoNewPrivs' /proc/self/status; mount -t tmpfs x /tmp; chroot / true"
    )
    values = dict(line.split(b":\t") for line in result.out.splitlines())
    assert values.pop(b"NoNewPrivs") == b"1"
    assert {name: int(value, 16) for name, value in values.items() if name != b"CapBnd"} == {
        b"CapInh": 0, b"CapPrm": 0, b"CapEff": 0, b"CapAmb": 0
    }  # fmt: skip
    assert result.exit.exit_code != 0


@needs_root
async def test_each_sandbox_has_its_own_unprivileged_uid(create):
    first, second = await create(), await create()
    uids = {(await run(s, "id -u")).out for s in (first, second)}
    assert len(uids) == 2
    assert all(int(uid) >= 200000 for uid in uids)
    await run(first, "touch mine")
    assert (first._state.path / "home" / "mine").stat().st_uid in map(int, uids)


async def test_sandboxes_do_not_see_each_other(create):
    first, second = await create(), await create()
    await run(first, "sleep 1000 & echo secret > /tmp/a; echo secret > /dev/shm/b")
    seen = await run(second, "ps -e -o args=; ls -A /tmp /dev/shm ~")
    assert b"sleep" not in seen.out
    assert seen.out.split()[-3:] == [b"/dev/shm:", b"/home/user:", b"/tmp:"]
    assert (await run(first, "hostname")).out != (await run(second, "hostname")).out


async def test_links_in_the_home_lead_nowhere(sandbox):
    await run(sandbox, "ln -s / up; ln -s /proc/1/root out")
    result = await run(sandbox, "ls up/root up/work out/", working_dir="up")
    assert result.exit.exit_code != 0
    assert result.out == b""


async def test_without_isolation_it_refuses_with_the_reason(working_dir, tmp_path):
    broken = tmp_path / "bwrap"
    broken.write_text(
        "#!/bin/sh\n[ $1 = --version ] && echo bubblewrap 0.11.0 && exit\n"
        "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1\n"
    )
    broken.chmod(0o755)
    provider = LocalProvider(LocalSettings(working_dir=working_dir, bwrap=broken))
    with pytest.raises(IsolationUnavailable, match="uid map: Permission denied"):
        await provider.create_sandbox(SandboxConfig(uuid4().hex))
    report = await provider.check()
    assert (report.ok, report.code) == (False, "isolation_unavailable")


async def test_isolation_none_is_allowed_by_name(working_dir):
    settings = LocalSettings(working_dir=working_dir, isolation="none")
    provider = LocalProvider(settings)
    session = await provider.create_sandbox(SandboxConfig(uuid4().hex))
    result = await run(session, "id -u; echo $HOME; sleep 1000 & exit 4")
    assert result.exit.exit_code == 4
    assert result.out.split()[0] == b"%d" % os.getuid()
    assert session._state.read("holder.json")["isolation"] == "none"
    child = int((await run(session, "pgrep -n -f '^sleep 1000'")).out)
    await session.terminate()
    assert not os.path.exists(f"/proc/{child}")
    await session.delete()
    report = await provider.check()
    assert report.ok
    assert report.facts["isolation"] == "none"
    assert "WITHOUT" in report.summary


async def test_check_says_what_is_in_force(provider):
    report = await provider.check()
    assert report.ok, report
    assert report.facts["isolation"] == "bubblewrap"
    assert set(report.facts["limits"]) == {"memory", "processes", "cpu_time", "disk"}
    assert await provider.list_sandboxes() == []
