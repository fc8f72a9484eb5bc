"""Where a command's time goes: the stamps of a traced portal, as stages that add up."""

from __future__ import annotations

import statistics
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

# (what, first stamp, last stamp); each stage begins where the one before it ends.
TO_OUTPUT = (
    ("client → web: frame read, consumer woken", "sent", "receive+"),
    ("web: thread for the transaction", "receive+", "insert+"),
    ("web: transaction (access, insert, audit, commit)", "insert+", "publish+"),
    ("web → worker: publish, broker, task begins", "publish+", "follow+"),
    ("worker: task → event loop → thread", "follow+", "claim+"),
    ("worker: claim (update, select)", "claim+", "claim-"),
    ("worker: back to the event loop, session", "claim-", "start_run+"),
    ("worker → holder: request, process started", "start_run+", "process_started"),
    ("holder → worker: answer", "process_started", "start_run-"),
    ("worker: journal followed, first bytes read", "start_run-", "relay_write+"),
    ("worker → Redis: XADD", "relay_write+", "relay_write-"),
    ("Redis → web: XREAD", "relay_write-", "push+"),
    ("web → client: frame written, read", "push+", "output"),
)
TO_EXIT = (
    ("process ended → exit record seen by worker", "process_ended", "exit_seen"),
    ("worker: thread for the final transaction", "exit_seen", "record_end+"),
    ("worker: final transaction (output, outcome)", "record_end+", "record_end-"),
    ("worker: end into the relay", "record_end-", "relay_end-"),
    ("Redis → web: end seen", "relay_end-", "feed_finish+"),
    ("web: outcome passed on (or row read again)", "feed_finish+", "feed_finish-"),
    ("web → client: end frame", "feed_finish-", "end"),
)
BESIDE = (
    ("beside: publish returns after", "publish+", "publish-"),
    ("beside: transaction's thread done, feed begins after", "publish-", "insert-"),
    ("beside: process lived (sh -c 'echo hi')", "process_started", "process_ended"),
)


@dataclass(frozen=True)
class Seen:
    """One command as its client saw it; monotonic seconds."""

    sent: float
    output: float
    end: float


def read(path: Path) -> list[tuple[float, str]]:
    """All stamps in order."""
    stamps = []
    for line in path.read_text().splitlines():
        name, _, at = line.partition(" ")
        stamps.append((float(at), name))
    return sorted(stamps)


def of_command(stamps: list[tuple[float, str]], seen: Seen) -> dict[str, float]:
    """When each thing first happened between a command's sending and its end."""
    first: dict[str, float] = {}
    start = bisect_left(stamps, (seen.sent, ""))
    stop = bisect_left(stamps, (seen.end, ""))
    for at, name in stamps[start:stop]:
        first.setdefault(name, at)
    # the feed says its end while it finishes: its client may be faster than the stamp
    first["feed_finish-"] = min(first.get("feed_finish-", seen.end), seen.end)
    return first | {"sent": seen.sent, "output": seen.output, "end": seen.end}


def medians(
    stages: tuple[tuple[str, str, str], ...], commands: list[dict[str, float]]
) -> list[tuple[str, float]]:
    """The median of each stage in milliseconds."""
    found = []
    for what, begin, end in stages:
        spans = [(c[end] - c[begin]) * 1000 for c in commands if begin in c and end in c]
        if spans:
            found.append((what, statistics.median(spans)))
    return found


def statements(stamps: list[tuple[float, str]], seen: list[Seen], process: str) -> float:
    """Median number of SQL statements of a process while a command was under way."""
    name = f"sql_{process}+"
    return statistics.median(
        sum(
            stamp == name
            for _, stamp in stamps[
                bisect_left(stamps, (one.sent, "")) : bisect_left(stamps, (one.end, ""))
            ]
        )
        for one in seen
    )
