"""The portal in a browser that runs no scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from . import screen
from .people import sign_in

pytestmark = pytest.mark.browser


def test_sign_in_create_run_and_read(visit, people, api):
    """Every step is a form and a page; a reload is what shows news."""
    page = visit(None, java_script_enabled=False)
    sign_in(page, people["kim"])
    page.get_by_role("link", name="New sandbox").first.click()
    page.get_by_label("Name").fill("plain")
    page.get_by_role("button", name="Create sandbox").click()
    expect(page.get_by_role("heading", name="plain", level=1)).to_be_visible()
    sandbox = page.url.rstrip("/").rsplit("/", 1)[-1]
    api("kim").ok("GET", f"/sandboxes/{sandbox}", params={"wait": 30})
    page.reload()
    screen.expect_state(page, "Running")
    page.get_by_role("textbox", name="Command", exact=True).fill("echo plain; echo bad >&2; exit 2")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("heading", name="Command", level=1)).to_be_visible()
    api("kim").wait({"id": page.url.rstrip("/").rsplit("/", 1)[-1]})
    page.reload()
    screen.expect_state(page, "exit 2")
    pre = page.locator("noscript pre")
    expect(pre.nth(0)).to_have_text("plain\n")
    expect(pre.nth(1)).to_have_text("bad\n")
    with page.expect_download() as download:
        page.get_by_role("link", name="stderr").click()
    assert download.value.path().read_bytes() == b"bad\n"
    page.get_by_role("link", name="History").click()
    row = page.locator("tbody tr").first
    expect(row.locator(".state")).to_have_text("exit 2")
    row.get_by_role("link", name="plain", exact=True).click()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("main")).to_contain_text("Stopping plain")
