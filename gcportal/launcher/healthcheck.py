"""``python -m gcportal.launcher.healthcheck web|NAME``: is this container's process well?

Exit code 0 if it is. NAME is a Celery node's: ``ops``, ``streams`` or ``beat``.
"""

from __future__ import annotations

import asyncio
import sys

from gcportal.celery import app
from gcportal.environment import env
from gcportal.paths import data_dir, worker_host

from .probes import host_name, http_answer

ANSWER_SECONDS = 5


def web_is_well() -> bool:
    """The web process of this container answers."""
    name = host_name(tuple(env("ALLOWED_HOSTS")))
    status, _ = asyncio.run(http_answer("127.0.0.1", env("PORT"), "/healthz", name))
    return status == 200


def node_is_well(name: str) -> bool:
    """A Celery process of this host answers over the broker."""
    node = f"{name}@{worker_host(data_dir())}"
    inspect = app.control.inspect(destination=[node], timeout=ANSWER_SECONDS, limit=1)
    return bool(inspect.ping())


def main() -> int:
    """Ask the process named on the command line."""
    name = sys.argv[1]
    return 0 if (web_is_well() if name == "web" else node_is_well(name)) else 1


if __name__ == "__main__":
    sys.exit(main())
