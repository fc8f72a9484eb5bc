"""`make run` with real processes: start, watch, stop, and every way to die."""

from __future__ import annotations

import os
import re
import signal
import stat

import httpx
import pytest

from tests.support.portal import wait_until

from .conftest import Launcher, gone

SECOND_START_SECONDS = 6.0


def took(launcher: Launcher) -> float:
    match = launcher.said(r"^Ready after ([\d.]+) s: http://127\.0\.0\.1:\d+/")
    assert match, launcher.text
    return float(match.group(1))


class TestFirstStart:
    def test_it_makes_everything_and_says_so(self, fresh: Launcher) -> None:
        fresh.start()

        assert fresh.said(rf"^Ready after .*: {re.escape(fresh.url)}/")
        assert httpx.get(f"{fresh.url}/accounts/login/").status_code == 200
        assert fresh.said(r"^First administrator: admin@localhost$")
        password = fresh.said(r"^Its password, shown this once: (\S+)$")
        assert password
        kept = [path.read_text(errors="replace") for path in (fresh.data / "logs").iterdir()]
        assert all(password.group(1) not in text for text in kept)
        assert stat.S_IMODE(fresh.data.stat().st_mode) == 0o700
        socket = fresh.data / "run" / "redis.sock"
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        for key in (fresh.data / "keys").iterdir():
            assert stat.S_IMODE(key.stat().st_mode) == 0o600

        assert fresh.stop(signal.SIGINT) == 0, fresh.text
        assert gone(fresh), fresh.processes()

    def test_the_administrator_named_in_the_environment(self, fresh: Launcher) -> None:
        fresh.env |= {
            "GCPORTAL_ADMIN_EMAIL": "boss@example.org",
            "GCPORTAL_ADMIN_PASSWORD": "correct-horse-9",
        }
        fresh.start()
        with httpx.Client(base_url=fresh.url) as client:
            client.get("/accounts/login/")
            answer = client.post(
                "/accounts/login/",
                data={
                    "login": "boss@example.org",
                    "password": "correct-horse-9",
                    "csrfmiddlewaretoken": client.cookies["csrftoken"],
                },
            )
        assert answer.status_code == 302
        assert "correct-horse-9" not in fresh.text

    def test_a_deep_data_folder_gets_a_short_socket(self, fresh: Launcher) -> None:
        deep = fresh.data / ("d" * 60) / ("e" * 60)
        fresh.data = deep
        fresh.env["GCPORTAL_DATA_DIR"] = str(deep)
        fresh.start()
        assert fresh.ready()
        assert not (deep / "run" / "redis.sock").exists()
        assert fresh.stop() == 0
        assert gone(fresh)


class TestLaterStarts:
    def test_it_is_quick_and_says_no_password(self, portal: Launcher) -> None:
        for _ in range(2):  # the best of three: other work on the machine is not what is measured
            if took(portal) < SECOND_START_SECONDS:
                break
            assert portal.stop() == 0
            portal.start()
        assert took(portal) < SECOND_START_SECONDS
        assert "Preparing" not in portal.text
        assert "password" not in portal.text

    def test_a_deleted_database_is_made_again(self, prepared: Launcher) -> None:
        for path in prepared.data.glob("portal.sqlite3*"):
            path.unlink()
        prepared.start()
        assert prepared.said(r"^Preparing the database")
        assert prepared.said(r"^First administrator")
        assert prepared.stop() == 0

    def test_a_second_launcher_in_the_same_folder_is_refused(
        self, portal: Launcher, checkout
    ) -> None:
        second = Launcher(checkout, portal.data)
        second.output = portal.data.parent / "second.out"
        code, lines = second.run()
        assert code == 1
        assert len(lines) == 1
        assert "already running" in lines[0]
        assert portal.ready()


class TestDeaths:
    @pytest.mark.parametrize(
        ("name", "part"),
        [
            ("web", "daphne"),
            ("worker", " worker "),
            ("beat", " beat"),
            ("redis", "valkey-server"),
        ],
    )
    def test_a_killed_process_is_started_again_and_said(
        self, portal: Launcher, name: str, part: str
    ) -> None:
        before = portal.pid_of(part)
        os.kill(before, signal.SIGKILL)
        wait_until(
            lambda: portal.said(rf"^{name} was ended by SIGKILL \(exit code 137\): starting"),
            10,
            f"said\n{portal.text}",
        )
        wait_until(lambda: any(part in c for c in portal.processes().values()), 10, "back")
        wait_until(portal.ready, 30, f"ready again\n{portal.text}")
        assert portal.pid_of(part) != before

    def test_nothing_outlives_a_killed_launcher(self, portal: Launcher) -> None:
        assert portal.stop(signal.SIGKILL) == -signal.SIGKILL
        assert gone(portal), portal.processes()
        portal.start()  # stale socket, lock file, schedule: none is in the way
        assert portal.ready()

    def test_all_killed_at_once(self, portal: Launcher) -> None:
        for pid in [portal.process.pid, *portal.processes()]:
            os.kill(pid, signal.SIGKILL)
        portal.ended()
        portal.start()
        assert portal.ready()


class TestRefusals:
    """One clear line, no traceback, nothing started."""

    def refused(self, launcher: Launcher) -> tuple[int, str]:
        code, lines = launcher.run()
        assert len(lines) == 1, lines
        assert lines[0].startswith("The portal can't start: ")
        assert gone(launcher)
        return code, lines[0]

    def test_port_in_use(self, fresh: Launcher) -> None:
        import socket

        with socket.create_server(("127.0.0.1", fresh.port)):
            code, line = self.refused(fresh)
        assert code == 1
        assert f"port {fresh.port} on 127.0.0.1 is in use" in line

    def test_port_out_of_range(self, fresh: Launcher) -> None:
        fresh.env["PORT"] = "99999"
        code, line = self.refused(fresh)
        assert code == 2
        assert "PORT must be between 1 and 65535" in line

    def test_a_setting_of_the_wrong_kind(self, fresh: Launcher) -> None:
        fresh.env["WORKER_THREADS"] = "many"
        code, line = self.refused(fresh)
        assert code == 2
        assert "WORKER_THREADS must be a whole number" in line

    def test_a_foreign_address(self, fresh: Launcher) -> None:
        fresh.env["HOST"] = "192.0.2.1"
        code, line = self.refused(fresh)
        assert code == 1
        assert "HOST=192.0.2.1 is no address of this machine" in line

    def test_a_data_folder_that_cannot_be(self, fresh: Launcher) -> None:
        fresh.data.parent.joinpath("file").write_text("")
        fresh.env["GCPORTAL_DATA_DIR"] = str(fresh.data.parent / "file" / "data")
        code, line = self.refused(fresh)
        assert code in (1, 2)
        assert "data folder" in line

    def test_a_broken_dotenv(self, fresh: Launcher) -> None:
        dotenv = fresh.checkout / ".env"
        dotenv.write_text("# fine\nLOG_LEVEL=INFO\nthis is hunter2, no assignment\n")
        try:
            code, line = self.refused(fresh)
        finally:
            dotenv.unlink()
        assert code == 2
        assert f"{dotenv}, line 3: expected NAME=value" in line
        assert "hunter2" not in line

    def test_a_weak_password_for_the_first_administrator(self, fresh: Launcher) -> None:
        fresh.env["GCPORTAL_ADMIN_PASSWORD"] = "12345"
        code, lines = fresh.run()
        assert code == 1
        assert "GCPORTAL_ADMIN_PASSWORD" in lines[-1]
        assert "Traceback" not in "\n".join(lines)
        assert gone(fresh)


def test_stopping_ends_the_local_sandboxes_too(portal: Launcher) -> None:
    portal.manage("add_user", "ann@example.org", "--password", "correct-horse-9")
    token = portal.manage("api_token", "ann@example.org")
    api = httpx.Client(
        base_url=f"{portal.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=40
    )
    made = api.post("/sandboxes", json={"provider": "local"})
    assert made.status_code == 201, made.text
    path = f"/sandboxes/{made.json()['id']}"
    found = api.get(path, params={"wait": 30}).json()
    assert found["state"] == "running", found
    api.post(f"{path}/commands", json={"command": "sleep 1000"})

    assert portal.stop() == 0
    assert portal.text.rstrip().endswith("Stopped."), portal.text
    left = [pid for pid in os.listdir("/proc") if pid.isdigit() and _is_sleeper(pid)]
    assert not left


def _is_sleeper(pid: str) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().endswith(b"sleep\x001000\x00")
    except OSError:
        return False
