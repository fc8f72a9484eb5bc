"""Database settings: SQLite made fit for several processes, PostgreSQL with a pool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ

# Read-then-write transactions must take the write lock at once (IMMEDIATE): with SQLite's
# default they fail with "database is locked" however long the timeout is.
SQLITE_OPTIONS = {
    "timeout": 30,
    "transaction_mode": "IMMEDIATE",
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
        "PRAGMA mmap_size=268435456; PRAGMA cache_size=-32000; PRAGMA foreign_keys=ON;"
    ),
}


def database_settings(url: str, data_dir: Path, pool_size: int) -> dict[str, Any]:
    """The ``default`` database for a ``DATABASE_URL``; empty means SQLite in the data folder."""
    if not url:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        config: dict[str, Any] = {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(data_dir / "portal.sqlite3"),
        }
    else:
        config = environ.Env.db_url_config(url)
    if config["ENGINE"].endswith("sqlite3"):
        # Requests run in short-lived threads, so connections can't be kept per thread.
        return config | {"OPTIONS": SQLITE_OPTIONS, "CONN_MAX_AGE": 0}
    pool = {"min_size": 2, "max_size": pool_size, "timeout": 20, "max_idle": 300}
    return config | {"OPTIONS": {**config.get("OPTIONS", {}), "pool": pool}, "CONN_MAX_AGE": 0}
