"""A Channels consumer and a Celery task that run a command line, without portal or isolation.

Same servers, pool, serialisation and Redis-compatible server as the portal; no database, no
sign-in, no journal. What the portal takes beyond this is the price of its promises.
"""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from typing import Any

import redis
import redis.asyncio
from celery import Celery
from django.conf import settings

SOCKET = os.environ["BENCH_REDIS_SOCKET"]
TIMEOUT = 30  # redis-py's own 5 s would end blocking reads

settings.configure()
celery = Celery("bare", broker=f"redis+socket://{SOCKET}")
celery.conf.update(
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_concurrency=16,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"socket_timeout": TIMEOUT, "socket_connect_timeout": 5},
)
_client = redis.Redis(unix_socket_path=SOCKET, socket_timeout=TIMEOUT)


@celery.task(name="run")
def run(key: str, command: str) -> None:
    """Run a command line; output and exit code go into a stream."""
    process = subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE)
    assert process.stdout is not None
    while data := os.read(process.stdout.fileno(), 65536):
        _client.xadd(key, {"d": data})
    process.stdout.close()
    _client.xadd(key, {"x": process.wait()})
    _client.expire(key, 60)


def consumer() -> Any:
    """The ASGI application, made only in the web process."""
    from channels.generic.websocket import AsyncWebsocketConsumer
    from channels.routing import ProtocolTypeRouter

    class Bare(AsyncWebsocketConsumer):
        async def connect(self) -> None:
            self.redis = redis.asyncio.Redis(unix_socket_path=SOCKET, socket_timeout=TIMEOUT)
            await self.accept()

        async def receive(self, text_data: str = "", bytes_data: bytes | None = None) -> None:
            key, last, code = uuid.uuid4().hex, b"0", None
            celery.send_task("run", (key, json.loads(text_data)["command"]), retry=False)
            while code is None:
                for _, entries in await self.redis.xread({key: last}, block=5000) or []:
                    for last, fields in entries:  # noqa: B007
                        code = fields.get(b"x")
                        if code is None:
                            await self.send(bytes_data=fields[b"d"])
            await self.send(text_data=json.dumps({"op": "end", "exit_code": int(code)}))

        async def disconnect(self, code: int) -> None:
            await self.redis.aclose()

    return ProtocolTypeRouter({"websocket": Bare.as_asgi()})
