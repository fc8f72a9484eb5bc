"""What the documents point at is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)")
QUOTED = re.compile(r"`((?:docs|gcportal|accounts|providers|sandboxes|tests|bench)/[\w/.-]*)`")
TARGET = re.compile(r"`make ([a-z-]+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_paths_exist(page: Path):
    text = page.read_text()
    for target in LINK.findall(text):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
    for path in QUOTED.findall(text):
        assert (ROOT / path).exists(), f"{page.name} names {path}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page: Path):
    makefile = (ROOT / "Makefile").read_text()
    for target in TARGET.findall(page.read_text()):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"
