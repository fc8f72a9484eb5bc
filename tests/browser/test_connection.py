"""The connection breaks in every way it can, and the page shows everything exactly once."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from . import screen

pytestmark = pytest.mark.browser

# what Chromium itself says on the console while the portal or the network is away
AWAY = ("WebSocket", "ERR_", "Failed to load resource")
COUNT = 60


@pytest.fixture
def address(api):
    """The page of a running sandbox."""
    sandbox = api("kim").sandbox(name="connection")
    yield f"/sandboxes/{sandbox['id']}/"
    api("kim").ok("DELETE", f"/sandboxes/{sandbox['id']}")


def some(text: str) -> bool:
    return text.count("\n") >= 3


def test_web_process_killed_while_a_command_prints(visit, portal, address):
    """The page says that it is reconnecting, comes back by itself, and misses nothing."""
    page = visit("kim", address, expect=AWAY)
    screen.run(page, screen.ticking(COUNT))
    screen.wait_for_text(page, some, "some lines")
    portal.kill("web")
    try:
        expect(page.locator("[data-connection]")).to_have_text("Reconnecting…")
        before = screen.text_of(page)
    finally:
        portal.start("web").wait_ready()
    screen.expect_live(page)
    assert screen.wait_for_end(page) == screen.lines(COUNT)
    assert screen.lines(COUNT).startswith(before)
    expect(page.locator("#panel [data-head] .state")).to_have_text("exit 0")
    expect(page.locator("tbody .state")).to_have_text("exit 0")


def test_command_ends_while_the_network_is_away(visit, portal, address):
    """What happened meanwhile stands there when the network is back."""
    page = visit("kim", address, expect=AWAY)
    screen.run(page, screen.ticking(20))
    screen.wait_for_text(page, some, "some lines")
    page.context.set_offline(True)
    portal.kill("web")  # Chromium keeps an open socket when it goes offline; networks don't
    portal.start("web").wait_ready()
    expect(page.locator("[data-connection]")).to_have_text("Reconnecting…")
    page.context.set_offline(False)
    screen.expect_live(page)
    assert screen.wait_for_end(page) == screen.lines(20)
    expect(page.locator("#panel [data-head] .state")).to_have_text("exit 0")


def test_page_frozen_while_a_command_prints(visit, api, address):
    """A page that the browser froze (a closed laptop, a tab in the background) catches up."""
    page = visit("kim", address)
    screen.run(page, screen.ticking(40))
    screen.wait_for_text(page, some, "some lines")
    browser = page.context.new_cdp_session(page)
    browser.send("Page.setWebLifecycleState", {"state": "frozen"})
    sandbox = address.split("/")[2]
    latest = api("kim").ok("GET", "/commands", params={"sandbox": sandbox})["items"][0]
    assert latest["state"] == "running"
    api("kim").wait(latest)
    browser.send("Page.setWebLifecycleState", {"state": "active"})
    assert screen.wait_for_end(page) == screen.lines(40)
    expect(page.locator("#panel [data-head] .state")).to_have_text("exit 0")


def test_sockets_do_not_get_through(visit, address):
    """Behind a proxy that lets no socket through, commands run and their state arrives."""
    page = visit("kim", "/", expect=AWAY)
    page.route_web_socket("**/ws/", lambda socket: socket.close())
    page.goto(address)
    expect(page.locator("[data-connection]")).to_have_text("Reconnecting…")
    box = page.get_by_role("textbox", name="Command", exact=True)
    box.fill("sleep 1; exit 4")
    box.press("Enter")
    expect(page.get_by_role("heading", name="Command", level=1)).to_be_visible()
    screen.expect_state(page, "exit 4")
