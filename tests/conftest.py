"""The world of the tests: three people, a shared team, and makers of rows.

``alice`` owns a shared team (``team``), ``carol`` is a member of it, ``bob`` a viewer;
``mallory`` (also called ``charlie``) is a stranger. Each also has a personal team; ``admin`` is
a site administrator outside of every shared team. No worker and no Redis runs here: what is sent
to workers stays in memory, and rows are put into the state that a test needs.

In ``async def`` tests, mark them ``django_db(transaction=True)`` and call the makers through
``gcportal.aio.run_db``: the ORM may not run on an event loop.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

PASSWORD = "correct horse battery staple"


def pytest_configure(config: pytest.Config) -> None:
    """No build, no broker, no slow hash: plain static files, a queue in memory, MD5."""
    storages = {**settings.STORAGES}
    storages["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = storages
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    settings.CELERY_BROKER_URL = "memory://"
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """SQLite in a file, as in an installation: threads and sockets share it."""
    database = connections["default"]
    if database.vendor == "sqlite":
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        path: Path = tmp_path_factory.mktemp("database") / f"{worker}.sqlite3"
        database.settings_dict["TEST"]["NAME"] = str(path)


# --- People and teams ---------------------------------------------------------------------------


@pytest.fixture
def make_user(db: None) -> Callable[..., Any]:
    """``make_user("dora")``: a person with a personal team; the password is ``PASSWORD``."""

    def make(name: str, **options: Any) -> Any:
        from accounts.actions import create_user

        return create_user(f"{name}@example.com", PASSWORD, **options)

    return make


@pytest.fixture
def alice(make_user: Callable[..., Any]) -> Any:
    """Owner of ``team``."""
    return make_user("alice")


@pytest.fixture
def bob(make_user: Callable[..., Any], team: Any) -> Any:
    """Viewer in ``team``."""
    return _join(team, make_user("bob"), "viewer")


@pytest.fixture
def carol(make_user: Callable[..., Any], team: Any) -> Any:
    """Member of ``team``: may act on what she made herself."""
    return _join(team, make_user("carol"), "member")


@pytest.fixture
def mallory(make_user: Callable[..., Any]) -> Any:
    """A stranger to ``team``."""
    return make_user("mallory")


@pytest.fixture
def charlie(mallory: Any) -> Any:
    """The same stranger under a friendlier name."""
    return mallory


@pytest.fixture
def admin(make_user: Callable[..., Any]) -> Any:
    """A site administrator, in no team but the personal one."""
    return make_user("admin", admin=True)


@pytest.fixture
def team(alice: Any) -> Any:
    """A shared team of which ``alice`` is the owner."""
    from accounts.models import Team

    made = Team.objects.create(name="Blue team")
    _join(made, alice, "owner")
    return made


def _join(team: Any, user: Any, role: str) -> Any:
    from accounts.actions import add_member

    add_member(team, user, role)
    return user


# --- Sandboxes and commands ---------------------------------------------------------------------


@pytest.fixture
def make_sandbox(alice: Any, team: Any) -> Callable[..., Any]:
    """``make_sandbox(state="stopped", owner=carol)``: a row of ``team``, running by default."""

    def make(*, team: Any = team, owner: Any = alice, state: str = "running", **fields: Any) -> Any:
        from sandboxes.models import Sandbox

        values = {"name": "box", "provider": "local", "ttl_seconds": 3600, "ref": "ref"}
        return Sandbox.objects.create(team=team, owner=owner, state=state, **values | fields)

    return make


@pytest.fixture
def make_command(make_sandbox: Callable[..., Any]) -> Callable[..., Any]:
    """``make_command(stdout=b"hi\\n")``: an exited command with its output stored.

    ``stdout``/``stderr`` are bytes, or ``{offset: bytes}`` for pieces with a gap between them.
    """

    def make(
        *,
        sandbox: Any = None,
        user: Any = None,
        state: str = "exited",
        stdout: Any = b"",
        stderr: Any = b"",
        **fields: Any,
    ) -> Any:
        from sandboxes.models import Command

        sandbox = sandbox or make_sandbox()
        now = timezone.now()
        ended = {"exit_code": 0, "ended_at": now} if state == "exited" else {}
        values = {"command": "true", "output_limit": 64 * 1024 * 1024, "started_at": now}
        made = Command.objects.create(
            team=sandbox.team,
            sandbox=sandbox,
            user=user or sandbox.owner,
            state=state,
            **values | ended | fields,
        )
        _store(made, "stdout", stdout)
        _store(made, "stderr", stderr)
        made.save()
        return made

    return make


def _store(command: Any, stream: str, output: Any) -> None:
    from sandboxes.models import OutputChunk
    from sandboxes.models.command import STREAM_CODES

    pieces = {0: output} if isinstance(output, bytes) else output
    end = 0
    for offset, data in pieces.items():
        if offset > end:
            setattr(command, f"{stream}_gap_start", end)
            setattr(command, f"{stream}_gap_end", offset)
        if data:
            OutputChunk.objects.create(
                command=command, stream=STREAM_CODES[stream], offset=offset, data=data
            )
        end = offset + len(data)
    setattr(command, f"{stream}_stored", end)
    setattr(command, f"{stream}_bytes", max(end, getattr(command, f"{stream}_bytes")))


# --- The API as a program uses it ---------------------------------------------------------------


@pytest.fixture
def token_for(db: None) -> Callable[[Any], str]:
    """``token_for(alice)``: the text of a fresh API token."""

    def make(user: Any, **options: Any) -> str:
        from accounts.actions import create_token

        return create_token(user, **options)[1]

    return make


class Api:
    """One person's program. Paths begin after ``/api/v1``; bodies are JSON."""

    def __init__(self, token: str | None) -> None:
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **query: Any) -> HttpResponse:
        return self.client.get(f"/api/v1{path}", query, headers=self.headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        """``Idempotency_Key="k"`` becomes the header of that name."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, (bytes, str)) else json.dumps(body or {})
        return self.client.post(
            f"/api/v1{path}",
            data,
            content_type="application/json",
            headers={**self.headers, **named},
        )

    def delete(self, path: str) -> HttpResponse:
        return self.client.delete(f"/api/v1{path}", headers=self.headers)


@pytest.fixture
def api(token_for: Callable[[Any], str]) -> Callable[[Any], Api]:
    """``api(alice).get("/me")``; ``api(None)`` carries no token."""
    return lambda user: Api(token_for(user) if user else None)
