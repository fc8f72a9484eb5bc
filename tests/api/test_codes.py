"""docs/api.md lists every error code that the API can answer with, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from gcportal.environment import BASE_DIR

# Codes of what isn't part of the API, each with where it comes from.
ELSEWHERE = {
    "bad_request": "pages",
    "conflict": "a base class",
    "csrf_failed": "pages",
    "email_taken": "making users",
    "error": "a base class",
    "limit_invalid": "lists of pages; the API's own bounds answer invalid_input first",
    "not_found": "a base class",
    "offset_invalid": "the socket",
}
SKIPPED = {"migrations", "live", "launcher", "views", "views.py", "following", "checks.py"}


def sources():
    for folder in ("gcportal", "accounts", "sandboxes"):
        for path in sorted((Path(BASE_DIR) / folder).rglob("*.py")):
            if not SKIPPED & set(path.relative_to(BASE_DIR).parts):
                yield path


def codes_in(tree):
    for node in ast.walk(tree):
        value = None
        if isinstance(node, ast.keyword) and node.arg == "code":
            value = node.value
        elif isinstance(node, ast.ClassDef):
            for line in node.body:
                if isinstance(line, ast.Assign) and line.targets[0].id == "code":
                    yield line.value.value
        elif isinstance(node, ast.Constant) and re.fullmatch(r"[a-z_]+_invalid", str(node.value)):
            value = node
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


def test_the_list_is_complete():
    text = (Path(BASE_DIR) / "docs" / "api.md").read_text()
    listed = re.findall(r"^\| `([a-z_]+)` \| \d{3} \|", text, re.MULTILINE)
    assert len(listed) == len(set(listed))
    raised = {code for path in sources() for code in codes_in(ast.parse(path.read_text()))}
    assert set(listed) == raised - set(ELSEWHERE)
