"""The settings table is the settings."""

from __future__ import annotations

import re
from pathlib import Path

from gcportal.environment import SCHEMA

ROOT = Path(__file__).resolve().parent.parent.parent
COMPOSE_ONLY = {"POSTGRES_PASSWORD", "PUBLISH"}
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.*?) \|", re.MULTILINE)


def _table() -> dict[str, str]:
    return dict(ROW.findall((ROOT / "docs" / "configuration.md").read_text()))


def test_every_setting_has_a_row_and_every_row_a_setting():
    assert set(_table()) == set(SCHEMA)


def test_defaults_are_told_right():
    """Numbers, booleans and plain words; what is made or found out is told in prose."""
    for name, (kind, default) in SCHEMA.items():
        told = _table()[name].strip("`")
        if kind is bool:
            assert told == str(default).lower(), name
        elif kind is int:
            assert told == str(default), name
        elif default and kind is list:
            assert told == ",".join(default), name


def test_the_example_file_names_settings_that_exist():
    for line in (ROOT / ".env.example").read_text().splitlines():
        name = line.lstrip("# ").partition("=")[0]
        if re.fullmatch(r"[A-Z_]+", name) and "=" in line:
            assert name in SCHEMA or name in COMPOSE_ONLY, name
