"""`docker-compose.yml` and `Dockerfile` say the same as the launcher.

They are read here, not run: that needs a Docker engine.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from gcportal.environment import SCHEMA
from gcportal.launcher import services
from tests.support.portal import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
PORTAL = ("migrate", "web", "worker-ops", "worker-streams", "beat")
LONG_RUNNING = [name for name in SERVICES if name != "migrate"]
# Names that compose itself reads from .env.
COMPOSE_ONLY = {"POSTGRES_PASSWORD", "PUBLISH"}
HOST = SERVICES["web"]["environment"]["WORKER_HOST"]
EXPECTED = {
    "web": services.web("0.0.0.0", 8000),
    "worker-ops": services.worker(("ops",), HOST, "ops"),
    "worker-streams": services.worker(("streams",), HOST, "streams"),
    "beat": services.beat(HOST),
}


def test_the_processes() -> None:
    assert set(SERVICES) == {"postgres", "redis", *PORTAL}


@pytest.mark.parametrize("name", EXPECTED)
def test_same_commands_as_the_launcher(name: str) -> None:
    assert SERVICES[name]["command"] == ["python", "-m", *EXPECTED[name]]


def test_migrate_does_what_the_launcher_does_first() -> None:
    assert SERVICES["migrate"]["command"] == ["python", "manage.py", "prepare", "database"]
    for name in EXPECTED:
        waits = SERVICES[name]["depends_on"]
        assert waits["migrate"]["condition"] == "service_completed_successfully"
        assert waits["postgres"]["condition"] == "service_healthy"
        assert waits["redis"]["condition"] == "service_healthy"


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert check["interval"]


def test_a_health_check_asks_the_node_by_its_name() -> None:
    for name in ("worker-ops", "worker-streams", "beat"):
        asked = SERVICES[name]["healthcheck"]["test"][-1]
        command = SERVICES[name]["command"]
        assert command[command.index("--hostname") + 1] == f"{asked}@{HOST}"


@pytest.mark.parametrize("name", SERVICES)
def test_not_root(name: str) -> None:
    assert SERVICES[name]["user"] not in ("", "root", "0")


@pytest.mark.parametrize("name", PORTAL)
def test_known_settings_only(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert set(environment) <= set(SCHEMA)
    assert environment == SERVICES["web"]["environment"]
    assert SERVICES[name]["env_file"] == ".env"


def test_no_secret_is_written_here() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("KEY|PASSWORD|SECRET", name):
                assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", value), name
            if name == "DATABASE_URL":
                assert "portal:${POSTGRES_PASSWORD:?" in value


def test_both_workers_share_the_sandboxes() -> None:
    ops, streams = SERVICES["worker-ops"], SERVICES["worker-streams"]
    assert ops["volumes"] == streams["volumes"] == ["local:/data/local"]
    assert ops["environment"]["LOCAL_WORKING_DIR"] == "/data/local"
    assert streams["pid"] == "service:worker-ops"


def test_data_is_kept_in_named_volumes() -> None:
    named = {volume.split(":")[0] for s in SERVICES.values() for volume in s.get("volumes", [])}
    assert named == set(COMPOSE["volumes"])


def test_dotenv_example_names_settings_only() -> None:
    names = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert names
    assert set(names) <= set(SCHEMA) | COMPOSE_ONLY
    required = re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "docker-compose.yml").read_text())
    assert set(required) <= set(names)


class TestDockerfile:
    text = (ROOT / "Dockerfile").read_text()

    def test_not_root(self) -> None:
        assert re.findall(r"^USER (\S+)", self.text, re.MULTILINE) == ["portal"]

    def test_health_check(self) -> None:
        assert "HEALTHCHECK" in self.text

    def test_same_command_as_compose(self) -> None:
        command = ", ".join(f'"{word}"' for word in SERVICES["web"]["command"])
        assert f"\nCMD [{command}]" in self.text

    def test_what_it_copies_is_in_the_build_context(self) -> None:
        ignored = (ROOT / ".dockerignore").read_text()
        copied = re.findall(r"^COPY (?!--from)(.+) \S+$", self.text, re.MULTILINE)
        for name in " ".join(copied).split():
            assert f"\n!{name}\n" in ignored, name
            assert (ROOT / name).exists(), name
