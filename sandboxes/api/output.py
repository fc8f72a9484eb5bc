"""Routes of a command's output: stored bytes, and live events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Header, Query, Router

from accounts.api import bearer_async
from gcportal.aio import run_db

from .. import output
from ..lookup import get_command
from ..models import Command
from . import events
from .parameters import CommandId

router = Router(tags=["Commands"])

OFFSET_LIMIT = 1 << 62
Offset = Annotated[int, Query(ge=0, le=OFFSET_LIMIT, description="bytes of the stream to skip")]

_NUMBER = {"schema": {"type": "integer"}}
OUTPUT_ANSWER = {
    "responses": {
        200: {
            "description": "The bytes.",
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
            "headers": {
                "X-Offset": {**_NUMBER, "description": "offset of the first byte"},
                "X-Next-Offset": {**_NUMBER, "description": "offset to ask for next"},
                "X-Total-Bytes": {**_NUMBER, "description": "what the command wrote so far"},
                "X-Complete": {
                    "schema": {"type": "string", "enum": ["true", "false"]},
                    "description": "whether nothing follows, now or later",
                },
                "X-Gap": {
                    "schema": {"type": "string"},
                    "description": "start-end of bytes that were not kept and are skipped here",
                },
            },
        }
    }
}
EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "cursor after this event"},
        "event": {"type": "string", "enum": ["output", "gap", "end"]},
        "data": {"type": "string", "description": "JSON, see docs/api.md"},
    },
}
EVENTS_ANSWER = {
    "responses": {
        200: {
            "description": "Events `output`, `gap`, `end`.",
            "content": {"text/event-stream": {"schema": EVENT}},
        },
        204: {"description": "`Last-Event-ID` is the end's: nothing follows."},
    }
}


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes ``start`` to ``end`` of a stream: one piece without holes, as stored now."""

    start: int
    end: int
    total: int
    complete: bool
    gap: tuple[int, int] | None

    @classmethod
    def of(cls, command: Command, stream: str, offset: int, limit: int | None) -> Range:
        """What can be given from ``offset`` on: up to the gap, or from the gap's end on."""
        stored: int = getattr(command, f"{stream}_stored")
        gap_start: int = getattr(command, f"{stream}_gap_start") or 0
        gap_end: int = getattr(command, f"{stream}_gap_end") or 0
        in_gap = gap_start <= offset < gap_end
        start = gap_end if in_gap else offset
        end = max(start, gap_start if start < gap_start else stored)
        end = min(end, start + limit) if limit else end
        return cls(
            start,
            end,
            getattr(command, f"{stream}_bytes"),
            command.ended and end >= stored,
            (gap_start, gap_end) if in_gap else None,
        )

    def headers(self) -> dict[str, str]:
        """As documented in OpenAPI."""
        found = {
            "X-Offset": str(self.start),
            "X-Next-Offset": str(self.end),
            "X-Total-Bytes": str(self.total),
            "X-Complete": "true" if self.complete else "false",
            "Content-Length": str(self.end - self.start),
        }
        return found | ({"X-Gap": f"{self.gap[0]}-{self.gap[1]}"} if self.gap else {})


@router.get(
    "/commands/{command_id}/output",
    auth=bearer_async,
    operation_id="read_output",
    openapi_extra=OUTPUT_ANSWER,
)
async def read_output(
    request: HttpRequest,
    command_id: CommandId,
    stream: Annotated[Literal["stdout", "stderr"], Query()] = "stdout",
    offset: Offset = 0,
    limit: Annotated[int | None, Query(ge=1, le=OFFSET_LIMIT, description="bytes at most")] = None,
) -> Any:
    """Stored bytes of a stream from an offset on, in one piece.

    Ask again from `X-Next-Offset` until `X-Complete` is `true`. An answer ends where bytes were
    dropped (output limit); the next one begins after them and names them in `X-Gap`. An offset
    beyond the end gives no bytes. Of a running command the last second may be missing here:
    `…/events` has it.
    """
    command = await run_db(get_command, request.auth, command_id)  # type: ignore[attr-defined]
    found = Range.of(command, stream, offset, limit)
    filename = f"{command.pk}.{stream}"
    return StreamingHttpResponse(
        _pieces(command, stream, found),
        content_type="application/octet-stream",
        headers={
            **found.headers(),
            "Content-Disposition": f'attachment; filename="{filename}"',
        },
    )


async def _pieces(command: Command, stream: str, wanted: Range) -> AsyncIterator[bytes]:
    at = wanted.start
    while at < wanted.end:
        piece = await run_db(output.read, command.pk, stream, at)
        if piece is None or piece.offset != at:
            return  # pruned meanwhile: the answer stays shorter than its Content-Length
        data = piece.data[: wanted.end - at]
        at += len(data)
        yield data


@router.get(
    "/commands/{command_id}/events",
    auth=bearer_async,
    operation_id="follow_output",
    openapi_extra=EVENTS_ANSWER,
)
async def follow_output(
    request: HttpRequest,
    command_id: CommandId,
    stdout: Offset = 0,
    stderr: Offset = 0,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", description="id of the last event you have")
    ] = None,
) -> Any:
    """A command's output as it comes, as server-sent events, until its end.

    An event's `id` is the cursor after it. An answer ends after 4 MiB or 5 minutes without an
    `end`: ask again with `Last-Event-ID`, as every EventSource does by itself.
    """
    command = await run_db(get_command, request.auth, command_id)  # type: ignore[attr-defined]
    try:
        next_ = events.cursor(last_event_id, stdout, stderr)
    except events.Ended:
        return HttpResponse(status=204)
    return StreamingHttpResponse(
        events.stream(command, next_),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
