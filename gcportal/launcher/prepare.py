"""The slow part of a start: migrations, the first administrator, collected assets.

Done by ``manage.py prepare``, and only when something it depends on has changed since it last
went well. What was done is kept in ``run/prepared.json``.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from gcportal.environment import BASE_DIR, SCHEMA, env

from .config import LaunchConfig
from .console import BoundedLog, Console, LineSplitter
from .errors import StartError
from .supervise import spawn

# Not hashed into the stamp: they hold a password, and a change of theirs needs nothing done.
LEFT_OUT = {"GCPORTAL_ADMIN_PASSWORD", "EMAIL_URL", "HOST", "PORT"}


def digest(parts: Iterable[bytes]) -> str:
    """One digest over all parts."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(hashlib.sha256(part).digest())
    return hashed.hexdigest()


def code_digest() -> str:
    """Changes with a migration, a dependency or a setting."""
    files = [*sorted(BASE_DIR.glob("*/migrations/*.py")), BASE_DIR / "requirements.txt"]
    settings = [f"{name}={env(name)}".encode() for name in SCHEMA if name not in LEFT_OUT]
    return digest(
        [*(part for file in files for part in (file.name.encode(), file.read_bytes())), *settings]
    )


def assets_digest() -> str:
    """Changes with a built asset or a dependency (which may bring assets of its own)."""
    folder = BASE_DIR / "static" / "dist"
    parts = [(BASE_DIR / "requirements.txt").read_bytes()]
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        found = file.stat()
        parts.append(f"{file}|{found.st_size}|{found.st_mtime_ns}".encode())
    return digest(parts)


def database_state(data_dir: Path) -> str:
    """The migrations that the SQLite database has; empty when it needs the first steps."""
    path = data_dir / "portal.sqlite3"
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        try:
            applied = connection.execute(
                "SELECT app, name FROM django_migrations ORDER BY app, name"
            ).fetchall()
            has_user = connection.execute("SELECT 1 FROM accounts_user LIMIT 1").fetchone()
        finally:
            connection.close()
    except sqlite3.Error:
        return ""
    return digest(f"{app}.{name}".encode() for app, name in applied) if has_user else ""


def stale_steps(config: LaunchConfig) -> list[str]:
    """The steps to do again: ``database``, ``assets``, both or none."""
    done = read_stamp(config)
    state = database_state(config.data_dir) if config.local_database else ""
    steps = []
    if not state or done.get("database") != state or done.get("code") != code_digest():
        steps.append("database")
    collected = (config.data_dir / "static" / "staticfiles.json").exists()
    if not config.debug and (not collected or done.get("assets") != assets_digest()):
        steps.append("assets")
    return steps


def read_stamp(config: LaunchConfig) -> dict[str, str]:
    """What was done last; empty when unknown."""
    try:
        found = json.loads((config.run_dir / "prepared.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_stamp(config: LaunchConfig) -> None:
    """Remember that everything is done."""
    stamp = {
        "database": database_state(config.data_dir) if config.local_database else "",
        "code": code_digest(),
        "assets": "" if config.debug else assets_digest(),
    }
    fresh = config.run_dir / "prepared.json.new"
    fresh.write_text(json.dumps(stamp))
    fresh.replace(config.run_dir / "prepared.json")


async def prepare(config: LaunchConfig, console: Console) -> None:
    """Do what is stale in one short Django process.

    Raises:
        StartError: a step failed.
    """
    steps = stale_steps(config)
    if not steps:
        return
    console.say(f"Preparing the {' and the '.join(steps)} ...")
    log = BoundedLog(config.logs_dir / "prepare.log")
    code = await run_prepare(steps, console, log)
    if code:
        raise StartError(f"preparing failed: {log.last_line()} (more in {log.path})")
    write_stamp(config)


async def run_prepare(steps: list[str], console: Console, log: BoundedLog) -> int:
    """Its standard output goes to the terminal alone: a generated password is in it."""
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, str(BASE_DIR / "manage.py"), "prepare", *steps]
    process = await spawn(command, stdout=pipe, stderr=pipe)
    assert process.stdout is not None
    assert process.stderr is not None
    errors = asyncio.create_task(process.stderr.read())
    try:
        splitter = LineSplitter()
        while data := await process.stdout.read(65536):
            for line in splitter.feed(data):
                console.say(line)
        for line in splitter.feed(b""):
            console.say(line)
        log.write(await errors)
        return await process.wait()
    finally:
        errors.cancel()
        if process.returncode is None:
            os.killpg(process.pid, 9)
            await process.wait()
