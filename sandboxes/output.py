"""Reading stored output by offset."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from .models import Command, OutputChunk
from .models.command import STREAM_CODES

CHUNK_LIMIT = 256 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """Stored bytes from ``offset`` on."""

    offset: int
    data: bytes

    @property
    def end(self) -> int:
        """The offset after the last byte."""
        return self.offset + len(self.data)


def read(command_id: uuid.UUID, stream: str, offset: int) -> Piece | None:
    """The stored piece that holds ``offset``, from there to its end.

    Where nothing was kept (output limit) it is the next piece after the gap; ``None`` when
    nothing is stored from ``offset`` on.
    """
    chunks = OutputChunk.objects.filter(command_id=command_id, stream=STREAM_CODES[stream])
    before = chunks.filter(offset__lte=offset).order_by("-offset").first()
    if before is not None:
        data = bytes(before.data)
        if before.offset + len(data) > offset:
            return Piece(offset, data[offset - before.offset :])
    after = chunks.filter(offset__gt=offset).order_by("offset").first()
    return Piece(after.offset, bytes(after.data)) if after else None


def iterate(command_id: uuid.UUID, stream: str, offset: int = 0) -> Iterator[Piece]:
    """All stored pieces from ``offset`` on, one in memory at a time."""
    while piece := read(command_id, stream, offset):
        yield piece
        offset = piece.end


def tail(command: Command, stream: str, limit: int = 64 * 1024) -> bytes:
    """The last stored bytes of a stream, at most ``limit``."""
    stored = command.stdout_stored if stream == "stdout" else command.stderr_stored
    pieces = iterate(command.pk, stream, max(0, stored - limit))
    return b"".join(piece.data for piece in pieces)[-limit:]
