"""Nothing that people or programs write runs as part of a page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from . import screen

pytestmark = pytest.mark.browser

EVIL = "<script>hacked=1</script><img src=x onerror=hacked=1>\"'><svg onload=hacked=1>{{7*7}}"


def harmless(page) -> None:
    """No element was made of it, and no script ran (a blocked one would fail the test, too)."""
    assert page.locator("img[src=x], svg[onload]").count() == 0
    assert page.evaluate("() => typeof hacked") == "undefined"


def test_markup_in_names_commands_and_output(visit, api):
    """It stands there as text: in every list, on every page, live and after a reload."""
    name = EVIL[:80]
    sandbox = api("kim").sandbox(name=name)
    address = f"/sandboxes/{sandbox['id']}/"
    page = visit("kim", address, expect=("422",))
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    line = f"cat <<'END'\n{EVIL}\nEND\ncat <<'END' >&2\n{EVIL}\nEND"
    screen.run(page, line)
    assert screen.wait_for_end(page) == f"{EVIL}\n{EVIL}"
    harmless(page)
    command = api("kim").ok("GET", "/commands", params={"sandbox": sandbox["id"]})["items"][0]
    page.reload()
    screen.wait_for_end(page)
    harmless(page)
    for path in ("/", "/sandboxes/", "/history/", f"/commands/{command['id']}/"):
        page.goto(path)
        screen.expect_live(page)
        expect(page.locator("main")).to_contain_text("<img src=x")
        harmless(page)
    page.goto(f"/history/?q={EVIL}&state={EVIL}&person={EVIL}&sandbox={EVIL}")
    harmless(page)


def test_markup_in_a_wrong_form(visit):
    """A form that comes back with errors shows what was typed as text."""
    page = visit("kim", "/sandboxes/new/", expect=("422",))
    page.get_by_label("Name").fill(EVIL[:80])
    environment = page.locator("textarea")
    environment.first.fill(EVIL)
    page.get_by_role("button", name="Create sandbox").click()
    expect(page.get_by_role("alert").first).to_contain_text("Nothing was created")
    expect(page.get_by_label("Name")).to_have_value(EVIL[:80])
    harmless(page)
