"""The provider contract: what every kind of vendor implements, and what callers may rely on.

Shape and names follow Grainchain's ``core.interfaces``; a portal with several processes needs
more than it has: attaching by id from any process, and runs that outlive whoever started them.
All verbs are coroutines and safe to call from several tasks of one event loop. Every verb may
raise ``ProviderUnreachable`` or ``ProviderTimeout``; further errors are named where they apply.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar
from uuid import uuid4

from pydantic import BaseModel

from .errors import SandboxGone
from .values import (
    STREAMS,
    Capabilities,
    ExecutionResult,
    HealthReport,
    RunExit,
    RunInfo,
    RunOutput,
    RunSpec,
    SandboxConfig,
    SandboxStatus,
    Stream,
)


def _refuse_incomplete(cls: type, base: type, attributes: tuple[str, ...] = ()) -> None:
    """Fail at import with the names an implementation lacks, not at its first use."""
    verbs = [
        name for name, value in vars(base).items() if getattr(value, "__isabstractmethod__", 0)
    ]
    missing = [name for name in attributes if not hasattr(cls, name)]
    missing += [name for name in verbs if getattr(cls, name) is getattr(base, name)]
    if missing:
        raise TypeError(f"{cls.__name__} is incomplete, it lacks: {', '.join(missing)}")


class SandboxSession(ABC):
    """A handle on one sandbox. Making or closing a handle changes nothing in the sandbox."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _refuse_incomplete(cls, SandboxSession)

    @property
    @abstractmethod
    def sandbox_id(self) -> str:
        """The provider's own id: what ``SandboxProvider.attach`` takes."""

    @abstractmethod
    async def status(self) -> SandboxStatus:
        """The state at the provider now. Never raises for a sandbox that is gone: ``GONE``. 5 s."""

    @abstractmethod
    async def describe(self) -> Mapping[str, Any]:
        """JSON-able facts about this sandbox for its page; ``isolation`` where it varies. 5 s."""

    @abstractmethod
    async def start_run(self, spec: RunSpec) -> RunInfo:
        """Start a command detached, at most once per ``spec.run_id``.

        Returns as soon as the process exists. A known run id is not started again, whatever
        became of it. Allowed while running. Raises ``SandboxGone``, ``RunRefused``. 10 s.
        """

    @abstractmethod
    def follow_run(self, run_id: str, offsets: Mapping[Stream, int]) -> AsyncIterator[Any]:
        """Yield ``RunOutput`` and ``RunGap`` from the given offsets on, then one ``RunExit``.

        Output of one stream comes in order, without holes other than the ``RunGap`` named.
        Works during and after the run, from any process of the host, any number of times.
        Bytes written after the run's own process has ended are not part of it. Raises
        ``RunNotFound``; ``SandboxGone`` when the sandbox died without recording an end. No limit.
        """

    @abstractmethod
    async def cancel_run(self, run_id: str, grace: float) -> None:
        """SIGTERM to the run's process group, SIGKILL after ``grace`` seconds.

        The sandbox sees it through, whatever becomes of the caller; the run ends as
        ``CANCELLED``. A finished run is left alone. Raises ``RunNotFound``, ``SandboxGone``. 5 s.
        """

    @abstractmethod
    async def signal_run(self, run_id: str, signal: int) -> None:
        """Send a signal to the run's process group. As ``cancel_run`` otherwise. 5 s."""

    @abstractmethod
    async def write_stdin(self, run_id: str, offset: int, data: bytes, eof: bool) -> int:
        """Write to the run's standard input, at most once per byte.

        ``offset`` is the position of ``data`` in everything ever written; bytes the sandbox
        has already taken are skipped. Returns the position up to which it has taken them (it
        buffers at most 1 MiB: a smaller answer means "again later"). ``eof`` closes the pipe
        once all of ``data`` is taken. Raises ``RunNotFound``, ``SandboxGone``. 5 s.
        """

    @abstractmethod
    async def terminate(self) -> None:
        """Stop: end every process, keep the files. Stopping a stopped one is fine. 30 s.

        Runs that were going on end as ``SANDBOX_STOPPED`` in their journals.
        """

    @abstractmethod
    async def wake_up(self) -> None:
        """Start a stopped sandbox with its files. Starting a running one is fine. 60 s.

        Raises ``SandboxStorageLost`` when the files are gone, ``QuotaExceeded``.
        """

    @abstractmethod
    async def delete(self) -> None:
        """End every process and remove the files for good. Deleting a gone one is fine. 120 s."""

    async def close(self) -> None:  # noqa: B027 - many have nothing to release
        """Release what the handle holds in this process. The sandbox is not touched."""

    async def execute(
        self,
        command: str,
        timeout: float | None = None,  # noqa: ASYNC109 - Grainchain's name
        working_dir: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> ExecutionResult:
        """Run a command to its end and return its output, as Grainchain does."""
        spec = RunSpec(uuid4().hex, command, working_dir, environment or {}, timeout, stdin=False)
        await self.start_run(spec)
        parts: dict[str, list[bytes]] = {stream: [] for stream in STREAMS}
        async for event in self.follow_run(spec.run_id, {"stdout": 0, "stderr": 0}):
            if isinstance(event, RunOutput):
                parts[event.stream].append(event.data)
            elif isinstance(event, RunExit):
                text = {s: b"".join(p).decode(errors="replace") for s, p in parts.items()}
                code = event.exit_code if event.exit_code is not None else 128 + (event.signal or 0)
                elapsed = event.ended_at - event.started_at
                return ExecutionResult(text["stdout"], text["stderr"], code, elapsed, command)
        raise SandboxGone("The sandbox went away while the command ran.")

    async def __aenter__(self) -> SandboxSession:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


class SandboxProvider(ABC):
    """One kind of vendor, configured. One instance serves one event loop.

    Class attributes: ``name`` (the registry's), ``label`` (for people), ``config_model`` (the
    Pydantic model behind forms, API schema and validation), ``capabilities``.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    config_model: ClassVar[type[BaseModel]]
    capabilities: ClassVar[Capabilities]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        needed = ("name", "label", "config_model", "capabilities")
        _refuse_incomplete(cls, SandboxProvider, needed)

    @abstractmethod
    async def create_sandbox(self, config: SandboxConfig) -> SandboxSession:
        """Create and start a sandbox labelled ``config.sandbox_id``; find it if it exists.

        Calling it again with the same id after a crash or time-out yields the same sandbox.
        Raises ``ConfigurationError``, ``QuotaExceeded``, ``IsolationUnavailable``,
        ``AuthenticationError``. 60 s.
        """

    @abstractmethod
    async def attach(self, sandbox_id: str) -> SandboxSession:
        """A handle on an existing sandbox, without side effects; does not check that it lives."""

    @abstractmethod
    async def list_sandboxes(self) -> list[str]:
        """Ids of all sandboxes this provider holds, stopped ones included. 30 s."""

    @abstractmethod
    async def get_sandbox_status(self, sandbox_id: str) -> SandboxStatus:
        """The state of one sandbox. 5 s."""

    @abstractmethod
    async def check(self) -> HealthReport:
        """Whether sandboxes can be made from here, found out by trying. Never raises. 20 s."""

    async def cleanup(self) -> None:  # noqa: B027 - most have nothing to release
        """Release what this instance holds in the process."""
