"""Object ids: UUIDs that sort by time of creation (RFC 9562, version 7).

Lists page by key alone ("older than this id"), which stays quick at any depth.
"""

from __future__ import annotations

import secrets
import threading
import time
import uuid

_lock = threading.Lock()
_last = 0


def uuid7() -> uuid.UUID:
    """A new id, larger than every id this process made before."""
    global _last
    with _lock:
        # 48 bits of milliseconds and 12 bits of their fraction, never standing still
        ticks = time.time_ns() * 4096 // 1_000_000
        _last = ticks = max(ticks, _last + 1)
    milliseconds, fraction = divmod(ticks, 4096)
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64
    return uuid.UUID(int=value | 0b10 << 62 | secrets.randbits(62))
