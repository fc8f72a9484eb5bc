"""Carrying input from its rows to the command, each byte once."""

from __future__ import annotations

import asyncio
import base64
import uuid

from django.db.models.functions import Greatest

from gcportal.aio import run_db
from providers import instances
from providers.contract import ProviderError, RunNotFound

from ..models import Command, CommandInput

RETRY_SECONDS = 0.2
_feeding: set[uuid.UUID] = set()


async def feed(pk: uuid.UUID) -> None:
    """Deliver all waiting input of a command, in order, until it has ended.

    Two at once are harmless: the sandbox skips bytes that it has taken before.
    """
    if pk in _feeding:
        return
    _feeding.add(pk)
    try:
        while (item := await run_db(_next, pk)) is not None:
            if not await _deliver(*item):
                await asyncio.sleep(RETRY_SECONDS)
    finally:
        _feeding.discard(pk)


def _next(pk: uuid.UUID) -> tuple[Command, CommandInput] | None:
    command = Command.objects.active().select_related("sandbox").filter(pk=pk).first()
    item = command.inputs.order_by("offset", "eof").first() if command else None
    return (command, item) if command and item else None


async def _deliver(command: Command, item: CommandInput) -> bool:
    data = base64.b64decode(item.data_secret)
    try:
        session = await instances.session(command.sandbox.provider, command.sandbox.ref)
        taken = await session.write_stdin(command.pk.hex, item.offset, data, item.eof)
    except (RunNotFound, ProviderError):
        return False  # not started yet, or about to end
    whole = taken >= item.offset + item.length
    await run_db(_taken, command.pk, item.pk if whole else None, taken)
    return whole


def _taken(pk: uuid.UUID, item_id: int | None, taken: int) -> None:
    Command.objects.filter(pk=pk).update(stdin_taken=Greatest("stdin_taken", taken))
    if item_id is not None:
        CommandInput.objects.filter(pk=item_id).delete()
