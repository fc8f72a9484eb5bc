"""The values that cross the provider contract: plain, frozen, without Django."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Stream = Literal["stdout", "stderr"]
STREAMS: tuple[Stream, Stream] = ("stdout", "stderr")


class SandboxStatus(StrEnum):
    """What a provider says of a sandbox (Grainchain's names, and ``GONE``)."""

    CREATING = "creating"
    RUNNING = "running"
    STOPPED = "stopped"
    ERROR = "error"
    GONE = "gone"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Feature:
    """Whether a provider has a feature, and if not, the reason a user reads."""

    supported: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.supported


YES = Feature(True)


def no(reason: str) -> Feature:
    """A missing feature with its reason."""
    return Feature(False, reason)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider really supports. Nothing is simulated that isn't there."""

    stop_start: Feature
    durable_commands: Feature
    separate_stderr: Feature
    stdin: Feature
    signals: Feature
    network_switch: Feature
    resource_limits: Feature
    terminal: Feature
    files: Feature
    snapshots: Feature
    pause: Feature
    ports: Feature
    metrics: Feature
    extend: Feature

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """JSON form: ``{feature: {"supported": bool, "reason": str}}``."""
        names = self.__dataclass_fields__
        return {
            name: {"supported": getattr(self, name).supported, "reason": getattr(self, name).reason}
            for name in names
        }


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """What to create.

    Args:
        sandbox_id: the portal's id; providers label the machine with it, so that a create
            which timed out is found again instead of made twice.
        provider_config: the validated dump of the provider's Pydantic model.
        environment_vars: environment of every command in the sandbox.
        labels: further labels for vendors that have them.
    """

    sandbox_id: str
    provider_config: Mapping[str, Any] = field(default_factory=dict)
    environment_vars: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One command to start, once.

    Args:
        run_id: unique per command; starting the same id again attaches instead.
        command: a shell command line (UTF-8, no NUL).
        working_dir: absolute, or relative to the sandbox's home; ``None`` is the home.
        environment: added to the sandbox's own environment.
        timeout: seconds until the whole process group is ended; ``None`` is no limit.
        stdin: whether standard input is a pipe kept open; otherwise ``/dev/null``.
        output_limit: bytes kept of each stream; beyond it head and tail halves stay.
    """

    run_id: str
    command: str
    working_dir: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    stdin: bool = True
    output_limit: int = 64 * 1024 * 1024


class RunEnd(StrEnum):
    """Why a run is over."""

    EXITED = "exited"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    SANDBOX_STOPPED = "sandbox_stopped"


@dataclass(frozen=True, slots=True)
class RunOutput:
    """Bytes of one stream, beginning at ``offset`` of everything that stream ever wrote."""

    stream: Stream
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class RunGap:
    """Bytes ``start`` (inclusive) to ``end`` (exclusive) of a stream were not kept."""

    stream: Stream
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RunExit:
    """The end of a run; always the last event of ``follow_run``.

    ``exit_code`` is the true code, or ``None`` when a signal ended the process (then
    ``signal`` holds its number). ``limit`` names the sandbox's limit for which it was killed
    (``disk``, ``cpu_time``), if so. Times are seconds since the epoch on the sandbox's clock.
    """

    end: RunEnd
    exit_code: int | None
    signal: int | None
    started_at: float
    ended_at: float
    stdout_bytes: int
    stderr_bytes: int
    limit: str = ""


RunEvent = RunOutput | RunGap | RunExit


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a start answers: ``started`` is False when the run id was known already."""

    run_id: str
    started: bool
    started_at: float


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Whether a provider is usable from this host, in words a person understands.

    ``facts`` is JSON-able and shown as it is, for example
    ``{"isolation": "bubblewrap", "limits": {"memory": "cgroup v1"}}``.
    """

    ok: bool
    summary: str
    code: str = "ok"
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """A finished command, as Grainchain's ``execute`` returns it."""

    stdout: str
    stderr: str
    return_code: int
    execution_time: float
    command: str

    @property
    def success(self) -> bool:
        """Whether the command ended with code 0."""
        return self.return_code == 0

    @property
    def output(self) -> str:
        """Both streams, as Grainchain joins them."""
        return f"{self.stdout}\n{self.stderr}".strip()
