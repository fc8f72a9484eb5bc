"""The benchmarks run, check what they receive, and write what they found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.report import Report, p50_p95
from tests.support.portal import ROOT

pytestmark = pytest.mark.bench


def test_round_trip_runs_and_writes_its_results(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    command = [sys.executable, "-m", "bench", "--quick", "--only", "round_trip"]
    done = subprocess.run(
        [*command, "--output", str(results)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(results.read_text())
    assert found["machine"]["quick"] is True
    ratios = [row["numbers"]["ratio"] for row in found["rows"] if "ratio" in row["numbers"]]
    assert all(0.5 < ratio < 50 for ratio in ratios), ratios
    assert len(ratios) == 2


def test_a_wrong_byte_is_a_failed_run(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    report.begin("example")
    report.aim("slow", "9 s", met=False, aim="< 1 s")
    assert report.wrong == []
    report.check("bytes", right=False, detail="expected 3")
    report.check("bytes", right=False, detail="and again")
    assert [row.value for row in report.wrong] == ["expected 3"]
    assert "WRONG" in capsys.readouterr().out


def test_medians_are_taken_over_rounds() -> None:
    assert p50_p95([[1, 1, 1], [2, 2, 2], [90, 90, 90]]) == (2, 2)
