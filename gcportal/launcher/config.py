"""The launcher's settings: ``.env`` checked line by line, then the same schema as Django's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from gcportal import environment, paths

from .errors import ConfigError

ASSIGNMENT = re.compile(r"(?:export )?([A-Za-z_0-9]+)=(.*)")


@dataclass(frozen=True)
class LaunchConfig:
    """What the launcher needs to know."""

    host: str
    port: int
    data_dir: Path
    working_dir: Path
    worker_host: str
    redis_socket: Path | None
    local_database: bool
    debug: bool
    allowed_hosts: tuple[str, ...]

    @property
    def logs_dir(self) -> Path:
        """Where the processes' output is kept."""
        return self.data_dir / "logs"

    @property
    def run_dir(self) -> Path:
        """Sockets, locks and stamps."""
        return self.data_dir / "run"

    @property
    def probe_host(self) -> str:
        """The address under which this machine reaches the web process."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(  # noqa: S104
            self.host, self.host
        )

    @property
    def url(self) -> str:
        """The address to print."""
        host = f"[{self.probe_host}]" if ":" in self.probe_host else self.probe_host
        return f"http://{host}:{self.port}/"


def check_dotenv(path: Path) -> None:
    """Refuse a ``.env`` of which a line would be ignored or misread.

    Raises:
        ConfigError: names the line, and never shows what it holds.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} can't be read: {error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        match = ASSIGNMENT.fullmatch(line)
        if match is None:
            raise ConfigError(f"{path}, line {number}: expected NAME=value or # comment")
        value = match.group(2)
        if value[:1] in {"'", '"'} and (len(value) < 2 or value[-1] != value[0]):
            raise ConfigError(f"{path}, line {number}: the quote is not closed")


def check_values() -> None:
    """Refuse a setting whose value isn't of its kind.

    Raises:
        ConfigError: names the setting.
    """
    for name, (kind, _) in environment.SCHEMA.items():
        try:
            environment.env(name)
        except (ValueError, ImproperlyConfigured) as error:
            what = {int: "a whole number", bool: "on or off"}.get(kind, f"a {kind.__name__}")
            raise ConfigError(f"{name} must be {what}") from error


def read_config() -> LaunchConfig:
    """Read ``.env`` and the process environment.

    Raises:
        ConfigError: something in them is wrong.
    """
    check_dotenv(environment.BASE_DIR / ".env")
    environment.load_dotenv()
    check_values()
    env = environment.env
    if not 1 <= env("PORT") <= 65535:
        raise ConfigError(f"PORT must be between 1 and 65535, not {env('PORT')}")
    data = paths.data_dir()
    try:
        worker_host = paths.worker_host(data)
        socket = None if env("REDIS_URL") else paths.redis_socket(data)
    except OSError as error:
        raise ConfigError(f"the data folder {data} can't be used: {error}") from error
    return LaunchConfig(
        host=env("HOST"),
        port=env("PORT"),
        data_dir=data,
        working_dir=paths.local_working_dir(data),
        worker_host=worker_host,
        redis_socket=socket,
        local_database=not env("DATABASE_URL"),
        debug=env("DEBUG"),
        allowed_hosts=tuple(env("ALLOWED_HOSTS")),
    )
