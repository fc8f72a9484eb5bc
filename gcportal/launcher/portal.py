"""The whole portal: start everything, wait until it answers, stop everything."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from . import probes
from .config import LaunchConfig
from .console import Console
from .errors import StartError
from .prepare import prepare
from .services import Service, portal_services, redis_service
from .supervise import Supervised

READY_SECONDS = 90.0
POLL_SECONDS = 0.1
FAILURES_AT_START = 3
STOP_SECONDS = 10.0
SANDBOXES_STOP_SECONDS = 20.0
REDIS_STOP_SECONDS = 3.0


class Portal:
    """Redis first and last; web, worker and beat in between."""

    def __init__(self, config: LaunchConfig, console: Console) -> None:
        self._config = config
        self._console = console
        self._redis: Supervised | None = None
        self._children: list[Supervised] = []
        self._problem = "nothing answers"

    async def start(self) -> None:
        """Start everything and wait until it answers.

        Raises:
            StartError: a step failed; ``stop()`` must still be called.
        """
        began = time.monotonic()
        config = self._config
        if (service := redis_service(config)) and (socket := config.redis_socket):
            self._redis = self._supervise(service)
            await self._wait_for("redis", lambda: probes.redis_answers(socket))
        await prepare(config, self._console)
        self._console.say("Starting web, worker and beat ...")
        self._children = [self._supervise(service) for service in portal_services(config)]
        await self._wait_for("web", lambda: self._web_says_ok("/healthz"))
        self._console.say("Web answers; waiting for the worker ...")
        await self._wait_for("the portal", lambda: self._web_says_ok("/readyz"))
        took = time.monotonic() - began
        self._console.say(f"Ready after {took:.1f} s: {config.url}   (Ctrl-C stops it)")

    async def stop(self, hurry: asyncio.Event) -> None:
        """Stop the processes, then the local sandboxes, then Redis. Never raises."""
        self._console.say("Stopping ...")
        await asyncio.gather(*(child.stop(STOP_SECONDS, hurry) for child in self._children))
        if self._children:
            await self._stop_sandboxes(hurry)
        if self._redis:
            await self._redis.stop(REDIS_STOP_SECONDS, hurry)
        self._console.say("Stopped.")

    def _supervise(self, service: Service) -> Supervised:
        child = Supervised(service, self._console, self._config.logs_dir)
        child.start()
        return child

    async def _wait_for(self, what: str, answers: Callable[[], Awaitable[bool]]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not await answers():
            for child in [self._redis, *self._children]:
                if child and child.failures >= FAILURES_AT_START:
                    raise StartError(
                        f"{child.name} can't be started: {child.log.last_line()}"
                        f" (more in {child.log.path})"
                    )
            if time.monotonic() > deadline:
                raise StartError(
                    f"{what} was not ready after {READY_SECONDS:.0f} s: {self._problem}"
                    f" (log files: {self._config.logs_dir})"
                )
            await asyncio.sleep(POLL_SECONDS)

    async def _web_says_ok(self, path: str) -> bool:
        config = self._config
        name = probes.host_name(config.allowed_hosts)
        status, body = await probes.http_answer(config.probe_host, config.port, path, name)
        if status:
            self._problem = f"{path} answered {status}: {' '.join(body.split())[:200]}"
        return status == 200

    async def _stop_sandboxes(self, hurry: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop_sandboxes(self._config.working_dir))
        hurried = asyncio.create_task(hurry.wait())
        await asyncio.wait(
            {stopping, hurried},
            timeout=SANDBOXES_STOP_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        hurried.cancel()
        if not stopping.done():
            stopping.cancel()
            self._console.say("Some local sandboxes may still be running.")
        elif problem := stopping.result():
            self._console.say(f"The local sandboxes could not be stopped: {problem}")


async def stop_sandboxes(working_dir: Path) -> str:
    """End the detached holders of the local sandboxes. Returns the problem, if there was one.

    In a thread that nothing waits for at the end: a hanging disk must not keep the launcher.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[str] = loop.create_future()

    def tell(problem: str) -> None:
        if not done.cancelled():
            done.set_result(problem)

    def stop() -> None:
        problem = ""
        try:
            from providers.local.shutdown import stop_all  # late: nothing else here needs it

            stop_all(working_dir)
        except Exception as error:  # noqa: BLE001 - told to the user; the rest must still stop
            problem = str(error) or type(error).__name__
        loop.call_soon_threadsafe(tell, problem)

    threading.Thread(target=stop, name="stop-sandboxes", daemon=True).start()
    return await done
