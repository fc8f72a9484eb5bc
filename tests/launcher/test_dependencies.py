"""Every direct dependency has its reason in docs/dependencies.md, and nothing else has."""

from __future__ import annotations

import json
import re

from tests.support.portal import ROOT


def named_in_files() -> set[str]:
    names = set()
    for file in ROOT.glob("requirements*.in"):
        for line in file.read_text().splitlines():
            if match := re.match(r"[A-Za-z][A-Za-z0-9._-]*", line):
                names.add(match.group(0).lower())
    package = json.loads((ROOT / "package.json").read_text())
    return names | set(package["dependencies"]) | set(package["devDependencies"])


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text()
    rows = re.findall(r"^\| `([^`]+)` \| (.+) \|$", text, re.MULTILINE)
    assert {name.lower() for name, _ in rows} == named_in_files()
    assert all(len(reason) > 10 for _, reason in rows)


def test_package_json_pins_exactly() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    for version in (package["dependencies"] | package["devDependencies"]).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()
