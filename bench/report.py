"""What a run found: one table for people, the same as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("django", "channels", "daphne", "uvicorn", "celery", "redis", "websockets")
MET, MISSED, WRONG = "met", "missed", "WRONG"


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which that share of them lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def p50_p95(rounds: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Medians over the rounds of each round's p50 and p95."""
    middle = statistics.median(statistics.median(values) for values in rounds)
    return middle, statistics.median(percentile(values, 0.95) for values in rounds)


@dataclass(frozen=True)
class Row:
    """One line of the table; ``numbers`` are what a program compares."""

    group: str
    what: str
    value: str
    verdict: str
    numbers: dict[str, float]


@dataclass
class Report:
    """Rows as they come. Printed at once, so that a long run can be watched."""

    rows: list[Row] = field(default_factory=list)
    group: str = ""
    say: Callable[[str], None] = lambda text: print(text, flush=True)

    def begin(self, group: str) -> None:
        """The rows that follow belong to this measurement."""
        self.group = group
        self.say(f"\n{group}")

    def add(self, what: str, value: str, verdict: str = "", **numbers: float) -> None:
        """A measured value."""
        row = Row(self.group, what, value, verdict, {k: round(v, 4) for k, v in numbers.items()})
        self.rows.append(row)
        self.say(f"  {row.what:<58} {row.value:<34} {row.verdict}".rstrip())

    def aim(self, what: str, value: str, met: bool, aim: str, **numbers: float) -> None:
        """A measured value with a goal; missing it is said and is no failure."""
        self.add(what, value, f"aim {aim}: {MET if met else MISSED}", **numbers)

    def check(self, what: str, right: bool, detail: str = "") -> None:
        """Something that must be so: a run with a wrong byte is a failed run. Said once."""
        known = any(row.group == self.group and row.what == what for row in self.wrong)
        if not right and not known:
            self.add(what, detail or "not so", WRONG)

    @property
    def wrong(self) -> list[Row]:
        """Checks that failed."""
        return [row for row in self.rows if row.verdict == WRONG]

    def write(self, path: Path, machine: dict[str, object]) -> None:
        """The JSON form."""
        rows = [asdict(row) for row in self.rows]
        path.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")


def machine() -> dict[str, object]:
    """Where and with what this ran."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in _lines("/proc/cpuinfo")
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if "MemTotal" in line), "0")
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "cpu": model,
        "memory_gib": round(int(memory) / 1024**2, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "database": "postgresql" if os.environ.get("TEST_DATABASE_URL") else "sqlite",
        "commit": _commit(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def machine_line(facts: dict[str, object]) -> str:
    """The same in one line."""
    versions = facts["versions"]
    assert isinstance(versions, dict)
    names = ", ".join(f"{name} {number}" for name, number in versions.items())
    return (
        f"{facts['cpus']} CPUs ({facts['cpu']}), {facts['memory_gib']} GiB, Linux {facts['kernel']}"
        f"; Python {facts['python']}, {names}; {facts['database']}; load {facts['load_before']}"
        f" before; commit {facts['commit']}"
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() or "unknown"
