"""Parameters that several routes share, and how they look in OpenAPI."""

from __future__ import annotations

from typing import Annotated

from ninja import Header, Path, Query

from ..history import PAGE_LIMIT
from .waiting import WAIT_LIMIT

# Malformed ids are looked up like all others: there is no such object.
SandboxId = Annotated[str, Path()]
CommandId = Annotated[str, Path()]
Wait = Annotated[
    int, Query(ge=0, le=WAIT_LIMIT, description="seconds to wait for it to come to rest")
]
Cursor = Annotated[str, Query(description="`next_cursor` or `previous_cursor` of a page")]
Limit = Annotated[int, Query(ge=1, le=PAGE_LIMIT, description="items on a page")]
Text = Annotated[str, Query(max_length=1000, description="a part of it, in any case")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="1 to 200 printable characters; repeating a request with the same key"
        " creates nothing and gives the same answer",
    ),
]
