"""The process environment, read once: every setting an operator can give, with its default.

``docs/configuration.md`` lists exactly these names; a test compares the two.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ

BASE_DIR = Path(__file__).resolve().parent.parent

SCHEMA: dict[str, tuple[Any, Any]] = {
    "DEBUG": (bool, False),
    "SECRET_KEY": (str, ""),
    "FIELD_ENCRYPTION_KEY": (list, []),
    "ALLOWED_HOSTS": (list, ["localhost", "127.0.0.1", "[::1]"]),
    "CSRF_TRUSTED_ORIGINS": (list, []),
    "SECURE_COOKIES": (bool, False),
    "BEHIND_PROXY": (bool, False),
    "GCPORTAL_DATA_DIR": (str, str(BASE_DIR / "data")),
    "DATABASE_URL": (str, ""),
    "DATABASE_POOL_SIZE": (int, 16),
    "REDIS_URL": (str, ""),
    "HOST": (str, "127.0.0.1"),
    "PORT": (int, 8000),
    "GCPORTAL_ADMIN_EMAIL": (str, ""),
    "GCPORTAL_ADMIN_PASSWORD": (str, ""),
    "ALLOW_SIGN_UP": (bool, False),
    "EMAIL_URL": (str, "consolemail://"),
    "DEFAULT_FROM_EMAIL": (str, "portal@localhost"),
    "TIME_ZONE": (str, "UTC"),
    "WORKER_HOST": (str, ""),
    "WORKER_THREADS": (int, 16),
    "LOCAL_WORKING_DIR": (str, ""),
    "LOCAL_ISOLATION": (str, "auto"),
    "SANDBOX_DEFAULT_TTL_SECONDS": (int, 8 * 3600),
    "SANDBOX_MAX_TTL_SECONDS": (int, 30 * 24 * 3600),
    "COMMAND_MAX_TIMEOUT_SECONDS": (int, 7 * 24 * 3600),
    "COMMAND_OUTPUT_LIMIT_BYTES": (int, 64 * 1024 * 1024),
    "LOG_LEVEL": (str, "INFO"),
    "LOG_FORMAT": (str, "console"),
}

env = environ.Env(**SCHEMA)


def load_dotenv() -> None:
    """Read ``.env`` beside ``manage.py``; what the process environment sets already wins."""
    dotenv = BASE_DIR / ".env"
    if dotenv.exists():
        environ.Env.read_env(str(dotenv))
