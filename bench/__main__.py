"""``python -m bench [--only NAME ...] [--quick]``: measure, print a table, write it as JSON."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
import time
from pathlib import Path

from . import report

MEASUREMENTS = ("round_trip", "throughput", "many", "uvicorn", "idle_sockets", "history")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, default=MEASUREMENTS)
    parser.add_argument("--quick", action="store_true", help="small numbers: does it run at all")
    parser.add_argument("--output", type=Path, default=Path("bench-results.json"))
    return parser.parse_args()


def main() -> int:
    """The process's exit code: 1 when anything was wrong (a missed aim is not)."""
    options = _arguments()
    found = report.Report()
    facts = report.machine()
    print(report.machine_line(facts), flush=True)
    started = time.monotonic()
    for name in options.only:
        module = importlib.import_module(f"bench.{name}")
        asyncio.run(module.measure(found, options.quick))
    facts |= {
        "quick": options.quick,
        "seconds": round(time.monotonic() - started),
        "load_after": round(os.getloadavg()[0], 2),
    }
    found.write(options.output, facts)
    print(f"\n{facts['seconds']} s, load {facts['load_after']} after; {options.output} written")
    if found.wrong:
        print(f"{len(found.wrong)} WRONG: " + "; ".join(row.what for row in found.wrong))
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
