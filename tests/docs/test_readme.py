"""The README's commands are real."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from django.core.management import get_commands
from django.urls import resolve

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = (ROOT / "README.md").read_text()


def _commands() -> list[str]:
    blocks = re.findall(r"```\n(.*?)```", TEXT, re.DOTALL)
    return "\n".join(blocks).replace("\\\n", " ").strip().splitlines()


def test_make_targets_and_management_commands_exist():
    makefile = (ROOT / "Makefile").read_text()
    for line in [*_commands(), *re.findall(r"`([^`]+)`", TEXT)]:
        words = line.split()
        if words and words[0] == "make":
            assert re.search(rf"^{words[1]}:", makefile, re.MULTILINE), line
        if "manage.py" in line:
            assert words[2] in get_commands(), line


def test_what_curl_sends_is_what_the_api_takes(db):
    lines = [line for line in _commands() if line.startswith("curl")]
    assert len(lines) == 2
    for line in lines:
        words = shlex.split(line)
        json.loads(words[words.index("-d") + 1])
        path = words[-1].removeprefix("http://127.0.0.1:8000")
        resolve(path.replace("$ID", "01a20495-21c9-70bb-8389-8b7dc1433fc1"))


def test_the_administrator_is_who_the_settings_say():
    configuration = (ROOT / "docs" / "configuration.md").read_text()
    assert "admin@localhost" in configuration
    assert "admin@localhost" in TEXT
