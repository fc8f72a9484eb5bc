"""The portal's socket: one per page, for hints, running commands, and their output.

Frames are described in docs/sockets.md. Text frames are JSON with ``op``; output is binary.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import Any, cast

import structlog
from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer

from accounts.models import User
from gcportal.aio import run_db
from gcportal.errors import InvalidInput, PortalError
from gcportal.notify import group_of

from .. import actions
from ..lookup import get_command, get_sandbox
from ..models import Command
from ..models.command import STREAM_CODES
from .feed import WINDOW_BYTES, Feed
from .topics import require_topic

log = structlog.get_logger(__name__)

MESSAGE_LIMIT = 256 * 1024
FEED_LIMIT = 50
TOPIC_LIMIT = 300
# Hints to a client that says nothing are dropped: it is told to look at everything afresh later.
UNANSWERED_HINTS = 500
RECHECK_SECONDS = 5.0
OPS = frozenset({"watch", "unwatch", "run", "follow", "unfollow", "ack", "cancel", "stdin", "ping"})


class PortalConsumer(AsyncWebsocketConsumer):
    """One client. Every object it names is looked up as that person may see it."""

    user: User

    async def dispatch(self, message: Any) -> None:
        """As the base does, without a thread hop per message to close database connections.

        The ORM is called through ``run_db`` only, which sees to its own.
        """
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.close(code=4401)
            return
        self.user = cast(User, user)
        self._topics: set[str] = set()
        self._feeds: dict[uuid.UUID, tuple[Feed, asyncio.Task[None]]] = {}
        self._hints = 0
        self._checked_at = time.monotonic()
        await self.accept()
        await self._say("hello", window=WINDOW_BYTES)

    async def disconnect(self, code: int) -> None:
        for _, task in getattr(self, "_feeds", {}).values():
            task.cancel()
        for topic in getattr(self, "_topics", ()):
            await self.channel_layer.group_discard(group_of(topic), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self._resync_if_needed()
        message: dict[str, Any] = {}
        try:
            message = self._parse(text_data)
            await self._recheck()
            await getattr(self, f"op_{message['op']}")(message)
        except PortalError as error:
            problem = {"code": error.code, "message": error.message, "fields": error.fields}
            known = {key: message[key] for key in ("ref", "command", "topics") if key in message}
            await self._say("error", **problem, **known)

    def _parse(self, text: str | None) -> dict[str, Any]:
        try:
            message = json.loads(text) if text and len(text) <= MESSAGE_LIMIT else None
        except ValueError:
            message = None
        if not isinstance(message, dict) or message.get("op") not in OPS:
            raise InvalidInput("Not a message that this socket knows.", code="message_invalid")
        return message

    async def _recheck(self) -> None:
        """A person who was deactivated or signed out loses the socket at the next message."""
        if time.monotonic() - self._checked_at < RECHECK_SECONDS:
            return
        self._checked_at = time.monotonic()
        if not await run_db(cast(Any, self.scope)["still_valid"]):
            await self.close(code=4401)

    # --- hints ---------------------------------------------------------------------------------

    async def op_watch(self, message: dict[str, Any]) -> None:
        """``topics``: hints wanted from now on."""
        topics = message.get("topics")
        if not isinstance(topics, list) or len(topics) + len(self._topics) > TOPIC_LIMIT:
            raise InvalidInput(f"topics is a list of at most {TOPIC_LIMIT}.", code="topic_invalid")
        for topic in topics:
            await run_db(require_topic, self.user, topic)
            self._topics.add(topic)
            await self.channel_layer.group_add(group_of(topic), self.channel_name)
        await self._say("watching", topics=topics)

    async def op_unwatch(self, message: dict[str, Any]) -> None:
        """``topics``: hints no longer wanted."""
        for topic in self._topics & set(map(str, message.get("topics") or ())):
            self._topics.discard(topic)
            await self.channel_layer.group_discard(group_of(topic), self.channel_name)

    async def hint(self, event: dict[str, Any]) -> None:
        """From the channel layer: something changed."""
        self._hints += 1
        if self._hints <= UNANSWERED_HINTS:
            await self._say("changed", topic=event["topic"])

    async def _resync_if_needed(self) -> None:
        missed, self._hints = self._hints > UNANSWERED_HINTS, 0
        if missed:
            await self._say("resync")

    async def op_ping(self, message: dict[str, Any]) -> None:
        """Both sides learn that the connection lives."""
        await self._say("pong")

    # --- commands ------------------------------------------------------------------------------

    async def op_run(self, message: dict[str, Any]) -> None:
        """Run a command and follow it from its first byte."""
        wanted = ("working_dir", "environment", "timeout")
        options = {key: message[key] for key in wanted if key in message}
        command = await run_db(self._run, message, options)
        await self._say("started", ref=message.get("ref"), command=str(command.pk))
        self._follow(command, {"stdout": 0, "stderr": 0})

    def _run(self, message: dict[str, Any], options: dict[str, Any]) -> Command:
        sandbox = get_sandbox(self.user, message.get("sandbox"))
        stdin = message.get("stdin", False) is True
        line: Any = message.get("command")
        return actions.run_command(self.user, sandbox, command=line, stdin=stdin, **options)

    async def op_follow(self, message: dict[str, Any]) -> None:
        """Send a command's output from the given offsets on."""
        offsets = {stream: _offset(message, stream) for stream in STREAM_CODES}
        command = await run_db(get_command, self.user, message.get("command"))
        self._follow(command, offsets)

    def _follow(self, command: Command, offsets: dict[str, int]) -> None:
        self._unfollow(command.pk)
        if len(self._feeds) >= FEED_LIMIT:
            raise InvalidInput(f"At most {FEED_LIMIT} commands at once.", code="too_many_feeds")
        feed = Feed(command, self, offsets, WINDOW_BYTES)
        task = asyncio.create_task(self._run_feed(feed))
        self._feeds[command.pk] = feed, task

    async def _run_feed(self, feed: Feed) -> None:
        try:
            await feed.run()
        except Exception:
            log.exception("feed_failed", command_id=str(feed.command.pk))
            await self._say("resync")
        self._feeds.pop(feed.command.pk, None)

    def _unfollow(self, pk: uuid.UUID) -> None:
        if pk in self._feeds:
            self._feeds.pop(pk)[1].cancel()

    async def op_unfollow(self, message: dict[str, Any]) -> None:
        """Output of that command is no longer wanted."""
        self._unfollow(_uuid(message))

    async def op_ack(self, message: dict[str, Any]) -> None:
        """``stdout``, ``stderr``: everything before these offsets is drawn."""
        found = self._feeds.get(_uuid(message))
        if found:
            found[0].ack(_offset(message, "stdout"), _offset(message, "stderr"))

    async def op_cancel(self, message: dict[str, Any]) -> None:
        """End a command."""
        command = await run_db(get_command, self.user, message.get("command"))
        await run_db(actions.cancel_command, self.user, command)

    async def op_stdin(self, message: dict[str, Any]) -> None:
        """``data`` (text) and ``eof`` for a command's standard input."""
        command = await run_db(get_command, self.user, message.get("command"))
        data = str(message.get("data") or "").encode()
        await run_db(actions.send_input, self.user, command, data, eof=message.get("eof") is True)

    # --- to the client -------------------------------------------------------------------------

    async def output(self, command: Command, stream: str, offset: int, data: bytes) -> None:
        """A binary frame: stream, command, offset, bytes."""
        head = bytes([STREAM_CODES[stream]]) + command.pk.bytes + offset.to_bytes(8, "big")
        await self.send(bytes_data=head + data)

    async def gap(self, command: Command, stream: str, start: int, end: int) -> None:
        """Bytes that were not kept."""
        await self._say("gap", command=str(command.pk), stream=stream, start=start, end=end)

    async def end(self, command: Command, outcome: dict[str, Any]) -> None:
        """The command has ended, and all of its output is sent."""
        await self._say("end", **outcome)

    async def _say(self, op: str, **fields: Any) -> None:
        await self.send(text_data=json.dumps({"op": op, **fields}))


def _uuid(message: dict[str, Any]) -> uuid.UUID:
    try:
        return uuid.UUID(str(message.get("command")))
    except ValueError:
        raise InvalidInput("command is an id.", code="message_invalid") from None


def _offset(message: dict[str, Any], name: str) -> int:
    value = message.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 62:
        raise InvalidInput(f"{name} is an offset in bytes.", code="offset_invalid")
    return value
