"""History page and API list with a million commands: first page, filters, deep pages."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx

from . import portals
from .report import Report, p50_p95

COMMANDS = 1_000_000
ROUNDS, REQUESTS = 3, 8
AIM_MS = 50.0
PATHS = {"API list": "/api/v1/commands", "history page": "/history/"}


async def measure(report: Report, quick: bool) -> None:
    """Times are the client's: the whole request on loopback, nothing else under way."""
    report.begin("history")
    with portals.running(static=True) as portal:
        began = time.monotonic()
        count = 20_000 if quick else COMMANDS
        script = f"from bench.rows import fill; fill({portals.EMAIL!r}, {count})"
        said = portal.portal.manage("shell", "-c", script).splitlines()[-1]
        facts = json.loads(said.removeprefix("facts "))
        report.check("commands", facts["count"] == count + 1, str(facts["count"]))
        seconds = time.monotonic() - began
        report.add(f"database filled: {count:,} commands of the team", f"{seconds:.0f} s",
                   seconds=seconds)  # fmt: skip
        queries = _queries(facts)
        with (
            httpx.Client(
                base_url=portal.portal.url,
                headers={"Authorization": f"Bearer {portal.token}"},
                timeout=30,
            ) as api,
            httpx.Client(
                base_url=portal.portal.url,
                cookies={"sessionid": facts["session"]},
                timeout=30,
            ) as pages,
        ):
            _baseline(report, api, quick)
            for name, client in zip(PATHS, (api, pages), strict=True):
                # the page has no such choice
                asked = {k: q for k, q in queries.items() if client is api or "limit" not in q}
                _measure(report, name, client, asked, quick)


def _baseline(report: Report, client: httpx.Client, quick: bool) -> None:
    """What a request costs that asks for nothing: server, middleware, loopback."""
    times = []
    for _ in range(6 if quick else 60):
        began = time.perf_counter()
        client.get("/healthz")
        times.append((time.perf_counter() - began) * 1000)
    p50, p95 = p50_p95([times])
    report.add("/healthz, p50 / p95", f"{p50:.1f} / {p95:.1f} ms", p50_ms=p50, p95_ms=p95)


def _queries(facts: dict[str, Any]) -> dict[str, dict[str, str]]:
    found = {
        "first page": {},
        "first page, one row": {"limit": "1"},
        "person": {"person": facts["person"]},
        "person with few": {"person": facts["rare_person"]},
        "state exited": {"state": "exited"},
        "state lost (0.1 %)": {"state": "lost"},
        "person and state lost": {"person": facts["person"], "state": "lost"},
        "sandbox": {"sandbox": facts["sandbox"]},
        "sandbox and state lost": {"sandbox": facts["sandbox"], "state": "lost"},
    }
    for depth, cursor in facts["cursors"].items():
        found[f"depth {int(depth):,}"] = {"cursor": cursor}
        found[f"depth {int(depth):,}, person"] = {"cursor": cursor, "person": facts["person"]}
    found["text in every row"] = {"text": "make"}
    found["text in 2 rows of all"] = {"text": "needle"}
    return found


def _measure(
    report: Report,
    name: str,
    client: httpx.Client,
    queries: dict[str, dict[str, str]],
    quick: bool,
) -> None:
    rounds, requests = (1, 3) if quick else (ROUNDS, REQUESTS)
    times: dict[str, list[list[float]]] = {what: [] for what in queries}
    for what, query in queries.items():
        _get(report, client, name, what, query)
    for _ in range(rounds):
        for what, query in queries.items():
            times[what].append([_get(report, client, name, what, query) for _ in range(requests)])
    for what, found in times.items():
        p50, p95 = p50_p95(found)
        report.aim(f"{name}: {what}, p50 / p95", f"{p50:.1f} / {p95:.1f} ms", p95 < AIM_MS,
                   "p95 < 50 ms", p50_ms=p50, p95_ms=p95)  # fmt: skip


def _get(
    report: Report, client: httpx.Client, name: str, what: str, query: dict[str, str]
) -> float:
    path = PATHS[name]
    if path == PATHS["history page"]:
        query = {"q" if key == "text" else key: value for key, value in query.items()}
    began = time.perf_counter()
    answer = client.get(path, params=query)
    milliseconds = (time.perf_counter() - began) * 1000
    right = answer.status_code == 200 and "make step" in answer.text
    report.check(f"{name}: {what}", right, f"{answer.status_code} {answer.text[:200]}")
    return milliseconds
