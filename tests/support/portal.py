"""A whole portal of real processes in a folder of its own, for tests and benches.

Each process can be killed and started by name, which is what fault tests do. By default it runs
the embedded way (SQLite, the Redis-compatible server from its wheel). With ``TEST_DATABASE_URL``
and ``TEST_REDIS_URL`` it runs on those servers, in a fresh database.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from gcportal.launcher import services

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = sys.executable
START_SECONDS = 60


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds: float, what: str, step: float = 0.05):
    """The condition's first true value; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(step)
    raise AssertionError(f"not within {seconds} s: {what}")


class Portal:
    """Web, worker, beat, and a Redis-compatible server unless one is given."""

    def __init__(self, folder: Path, server: str = "daphne", **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = server
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._database = ""
        self.env = {
            **{k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")},
            "GCPORTAL_DATA_DIR": str(folder / "data"),
            "PYTHONUNBUFFERED": "1",
            "WORKER_HOST": "testhost",
            "DJANGO_SETTINGS_MODULE": "gcportal.settings",
            **environment,
        }
        if url := os.environ.get("TEST_DATABASE_URL"):
            self._database = f"portal_{secrets.token_hex(4)}"
            self.env["DATABASE_URL"] = f"{url.rsplit('/', 1)[0]}/{self._database}"
            self._admin_sql(f'CREATE DATABASE "{self._database}"')
        if (url := os.environ.get("TEST_REDIS_URL")) and "REDIS_URL" not in environment:
            # a database of the server's for each portal: queues and streams don't mix
            self.env["REDIS_URL"] = f"{url.rsplit('/', 1)[0]}/{1 + secrets.randbelow(15)}"

    @property
    def embedded_redis(self) -> bool:
        """Whether this portal runs its own Redis-compatible server."""
        return "REDIS_URL" not in self.env

    def manage(self, *args: str, check: bool = True) -> str:
        """Run ``manage.py`` and return what it prints."""
        done = subprocess.run(
            [PYTHON, "manage.py", *args], cwd=ROOT, env=self.env, capture_output=True, text=True
        )
        if check and done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        return done.stdout.strip()

    def prepare(self) -> Portal:
        """Make the database."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.manage("migrate", "--verbosity", "0")
        return self

    def commands(self) -> dict[str, list[str]]:
        """The command line of each process, as the launcher starts them."""
        found: dict[str, list[str]] = {}
        if self.embedded_redis:
            sock = self.folder / "data" / "run" / "redis.sock"
            sock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            found["redis"] = list(services.redis(services.redis_program(), sock))
        modules = {
            "web": self._web(),
            "worker": services.worker(("ops", "streams"), self.env["WORKER_HOST"]),
            "beat": services.beat(),
        }
        return found | {name: [PYTHON, "-m", *module] for name, module in modules.items()}

    def _web(self) -> tuple[str, ...]:
        if self.server == "daphne":
            return services.web("127.0.0.1", self.port)
        bind = ("--host", "127.0.0.1", "--port", str(self.port), "--log-level", "warning")
        # deflate costs far more than it saves on loopback and on most networks
        deflate = ("--ws-per-message-deflate", "false")
        return ("uvicorn", *bind, *deflate, "--loop", "asyncio", "gcportal.asgi:application")

    def start(self, *names: str) -> Portal:
        """Start all processes, or those named, and wait until the portal is ready."""
        if not hasattr(self, "_commands"):
            self._commands = self.commands()
        for name in names or self._commands:
            log = (self.folder / f"{name}.log").open("ab")
            self.processes[name] = subprocess.Popen(
                self._commands[name],
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            log.close()
        return self

    def wait_ready(self) -> Portal:
        """Wait until ``/readyz`` says yes."""
        wait_until(self.ready, START_SECONDS, f"portal ready\n{self.logs()}")
        return self

    def ready(self) -> bool:
        """Whether web, database, Redis and a worker answer."""
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        return False

    def kill(self, *names: str) -> None:
        """``kill -9``: the processes named, or all of them."""
        for name in names or tuple(self.processes):
            process = self.processes.pop(name)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def stop(self) -> None:
        """End everything, sandboxes included."""
        from providers.local.shutdown import stop_all

        for name in ("beat", "worker", "web", "redis"):
            if process := self.processes.get(name):
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.processes.clear()
        stop_all(self.folder / "data" / "local")
        if self._database:
            self._admin_sql(f'DROP DATABASE IF EXISTS "{self._database}" WITH (FORCE)')

    def logs(self, lines: int = 40) -> str:
        """The last lines of every process."""
        parts = []
        for path in sorted(self.folder.glob("*.log")):
            text = path.read_text(errors="replace").splitlines()[-lines:]
            parts.append(f"--- {path.name}\n" + "\n".join(text))
        return "\n".join(parts)

    def add_user(self, email: str, password: str = "correct-horse-9") -> str:
        """Make a user and return an API token of theirs."""
        self.manage("add_user", email, "--password", password)
        return self.manage("api_token", email)

    def rss(self, name: str) -> int:
        """Resident memory of a process in bytes."""
        status = Path(f"/proc/{self.processes[name].pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    def _admin_sql(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(os.environ["TEST_DATABASE_URL"], autocommit=True) as connection:
            connection.execute(statement)
