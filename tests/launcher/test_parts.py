"""The launcher's parts, one by one."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from gcportal import paths
from gcportal.launcher import prepare
from gcportal.launcher.config import LaunchConfig, check_dotenv
from gcportal.launcher.console import BoundedLog, Console, LineSplitter
from gcportal.launcher.errors import ConfigError
from gcportal.launcher.probes import host_name
from gcportal.launcher.supervise import back_off, ending


class TestDotenv:
    @pytest.mark.parametrize(
        "text",
        ["", "# note\n\nA=1\n", "export A=b c\n", "A='quoted'\nB=\"also\"\n", "A=\n", "A=x#y\n"],
    )
    def test_good(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / ".env"
        path.write_text(text)
        check_dotenv(path)

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("A=1\nnonsense\n", 2),
            ("A = 1\n", 1),
            ("  A=1\n", 1),
            ("A-B=1\n", 1),
            ("A='open\n", 1),
            ('A="\n', 1),
        ],
    )
    def test_broken(self, tmp_path: Path, text: str, line: int) -> None:
        path = tmp_path / ".env"
        path.write_text(text)
        with pytest.raises(ConfigError, match=f"line {line}:"):
            check_dotenv(path)

    def test_not_text(self, tmp_path: Path) -> None:
        path = tmp_path / ".env"
        path.write_bytes(b"\xff\xfe")
        with pytest.raises(ConfigError, match="can't be read"):
            check_dotenv(path)

    def test_none(self, tmp_path: Path) -> None:
        check_dotenv(tmp_path / ".env")


class TestPaths:
    def test_a_short_folder_holds_the_socket(self, tmp_path: Path) -> None:
        short = Path("/tmp/data")
        assert paths.redis_socket(short) == short / "run" / "redis.sock"

    def test_a_deep_folder_does_not(self, tmp_path: Path) -> None:
        deep = tmp_path / ("d" * 120)
        found = paths.redis_socket(deep)
        try:
            assert len(os.fsencode(found)) <= paths.LONGEST_SOCKET_PATH
            assert found.parent.stat().st_mode & 0o777 == 0o700
            assert paths.redis_socket(deep) == found
            assert paths.redis_socket(tmp_path / ("e" * 120)) != found
        finally:
            found.parent.rmdir()
            paths.redis_socket(tmp_path / ("e" * 120)).parent.rmdir()

    def test_a_folder_open_to_others_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "open").mkdir()
        (tmp_path / "open").chmod(0o755)
        with pytest.raises(PermissionError):
            paths.private_dir(tmp_path / "open")

    def test_a_link_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "there").mkdir(mode=0o700)
        (tmp_path / "link").symlink_to(tmp_path / "there")
        with pytest.raises(PermissionError):
            paths.private_dir(tmp_path / "link")

    def test_the_worker_host_outlives_a_rename(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("WORKER_HOST", "REDIS_URL"):
            monkeypatch.delenv(name, raising=False)
        first = paths.worker_host(tmp_path)
        monkeypatch.setattr(paths.socket, "gethostname", lambda: "renamed")
        assert paths.worker_host(tmp_path) == first
        monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
        assert paths.worker_host(tmp_path) == "renamed"
        monkeypatch.setenv("WORKER_HOST", "given")
        assert paths.worker_host(tmp_path) == "given"


class TestConsole:
    def test_a_blocked_terminal_does_not_block(self) -> None:
        open_again = threading.Event()

        class Blocked(io.StringIO):
            def write(self, text: str) -> int:
                open_again.wait(10)
                return super().write(text)

        stream = Blocked()
        console = Console(stream, capacity=5)
        for number in range(100):
            console.say(f"line {number}")  # would hang here
        open_again.set()
        console.close()
        assert stream.getvalue().startswith("line 0\n")
        assert "line 99" not in stream.getvalue()

    def test_a_closed_terminal_is_no_error(self) -> None:
        stream = io.StringIO()
        stream.close()
        console = Console(stream)
        console.say("to nobody")
        console.close()

    def test_a_log_is_bounded(self, tmp_path: Path) -> None:
        log = BoundedLog(tmp_path / "web.log", limit=1000)
        for number in range(100):
            log.write(f"{number:0100d}\n".encode())
        sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
        assert set(sizes) == {"web.log", "web.log.1"}
        assert max(sizes.values()) <= 1000
        assert log.last_line().endswith("99")

    def test_lines(self) -> None:
        splitter = LineSplitter()
        assert splitter.feed(b"one\ntw") == ["one"]
        assert splitter.feed(b"o\r\n\xff") == ["two"]
        assert splitter.feed(b"") == ["\N{REPLACEMENT CHARACTER}"]
        assert splitter.feed(b"") == []
        assert len(splitter.feed(b"x" * 100_000)) == 1


def test_back_off_grows_and_is_bounded() -> None:
    assert [back_off(n) for n in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_endings_in_words() -> None:
    assert ending(3) == "ended with exit code 3"
    assert ending(-9) == "was ended by SIGKILL (exit code 137)"


def test_the_name_to_ask_for() -> None:
    assert host_name(("*", ".example.org", "localhost")) == "example.org"
    assert host_name(()) == "localhost"


class TestStamp:
    @pytest.fixture
    def config(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LaunchConfig:
        """An installation that is fully prepared, in a project of one migration."""
        project = tmp_path / "project"
        (project / "app" / "migrations").mkdir(parents=True)
        (project / "app" / "migrations" / "0001_initial.py").write_text("one")
        (project / "requirements.txt").write_text("Django==5.2.19\n")
        (project / "static" / "dist").mkdir(parents=True)
        (project / "static" / "dist" / "site.css").write_text("a{}")
        monkeypatch.setattr(prepare, "BASE_DIR", project)
        data = tmp_path / "data"
        (data / "run").mkdir(parents=True)
        (data / "static").mkdir()
        (data / "static" / "staticfiles.json").write_text("{}")
        config = LaunchConfig(
            host="127.0.0.1",
            port=8000,
            data_dir=data,
            working_dir=data / "local",
            worker_host="here",
            redis_socket=None,
            local_database=True,
            debug=False,
            allowed_hosts=("localhost",),
        )
        self.make_database(data)
        prepare.write_stamp(config)
        assert prepare.stale_steps(config) == []
        return config

    def make_database(self, data: Path, applied: str = "0001_initial") -> None:
        import sqlite3

        (data / "portal.sqlite3").unlink(missing_ok=True)
        with sqlite3.connect(data / "portal.sqlite3") as connection:
            connection.execute("CREATE TABLE django_migrations (app, name)")
            connection.execute("CREATE TABLE accounts_user (id)")
            connection.execute("INSERT INTO django_migrations VALUES ('app', ?)", [applied])
            connection.execute("INSERT INTO accounts_user VALUES (1)")
        connection.close()

    def test_a_new_migration(self, config: LaunchConfig) -> None:
        (prepare.BASE_DIR / "app" / "migrations" / "0002_more.py").write_text("two")
        assert prepare.stale_steps(config) == ["database"]

    def test_a_deleted_database(self, config: LaunchConfig) -> None:
        (config.data_dir / "portal.sqlite3").unlink()
        assert prepare.stale_steps(config) == ["database"]

    def test_another_database_put_in_its_place(self, config: LaunchConfig) -> None:
        self.make_database(config.data_dir, applied="0000_older")
        assert prepare.stale_steps(config) == ["database"]

    def test_a_changed_setting(self, config: LaunchConfig, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LOCAL_ISOLATION", "perhaps")  # so that its check is run
        assert prepare.stale_steps(config) == ["database"]

    def test_changed_assets(self, config: LaunchConfig) -> None:
        (prepare.BASE_DIR / "static" / "dist" / "site.css").write_text("b{color:red}")
        assert prepare.stale_steps(config) == ["assets"]

    def test_an_upgrade(self, config: LaunchConfig) -> None:
        (prepare.BASE_DIR / "requirements.txt").write_text("Django==5.2.20\n")
        assert prepare.stale_steps(config) == ["database", "assets"]

    def test_a_broken_stamp(self, config: LaunchConfig) -> None:
        (config.run_dir / "prepared.json").write_text("{")
        assert prepare.stale_steps(config) == ["database", "assets"]
