"""Several people look at the same things at the same time."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from . import screen
from .people import sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def sandbox(api, people):
    """A running sandbox of the Blue team, which olivia owns."""
    made = api("olivia").sandbox(name="shared box", team=people["olivia"].team)
    yield made
    api("olivia").ok("DELETE", f"/sandboxes/{made['id']}")


def test_page_follows_what_a_program_does(visit, api, sandbox):
    """What an API client runs, stops and starts shows on open pages without a reload."""
    page = visit("olivia", f"/sandboxes/{sandbox['id']}/")
    dashboard = visit("olivia", "/")
    screen.expect_live(page)
    screen.expect_live(dashboard)
    row = dashboard.locator("tr", has_text="echo from a program")
    api("olivia").run(sandbox, "echo from a program; sleep 1")
    expect(row).to_be_visible()
    expect(page.locator("tbody tr", has_text="from a program")).to_be_visible()
    expect(page.locator("tbody .state")).to_have_text("exit 0")
    expect(row.locator(".state")).to_have_text("exit 0")
    api("olivia").ok("POST", f"/sandboxes/{sandbox['id']}/stop")
    screen.expect_state(page, "Stopped")
    expect(page.locator(".timeline")).to_contain_text("by olivia")
    running = dashboard.get_by_role("region", name="Running sandboxes")
    expect(running).not_to_contain_text("shared box")
    api("olivia").ok("POST", f"/sandboxes/{sandbox['id']}/start")
    screen.expect_state(page, "Running")


def test_viewer_sees_everything_and_can_do_nothing(visit, api, sandbox):
    """Output arrives live at a viewer's, and every action says why it is greyed."""
    page = visit("olivia", f"/sandboxes/{sandbox['id']}/")
    screen.run(page, screen.ticking(20))
    viewer = visit("victor", f"/sandboxes/{sandbox['id']}/")
    screen.wait_for_text(viewer, lambda text: text.count("\n") >= 2, "lines at the viewer's")
    assert screen.wait_for_end(viewer) == screen.lines(20)
    for action in ("Stop", "Start", "Delete"):
        button = viewer.locator(".head").get_by_role("button", name=action, exact=True)
        expect(button).to_have_attribute("aria-disabled", "true")
        expect(button).to_have_accessible_description(
            f"Viewers of this team can't {action.lower()}."
        )
    expect(viewer.get_by_role("button", name="Run", exact=True)).to_be_disabled()
    expect(viewer.locator("#runner-help")).to_have_text("Viewers of this team can't run commands.")
    again = viewer.locator("#panel").get_by_role("button", name="Run again")
    expect(again).to_have_attribute("aria-disabled", "true")


def test_stranger_finds_nothing(visit, api, sandbox):
    """A sandbox, a command and their history don't exist for who is not in the team."""
    command = api("olivia").run(sandbox, "echo secret")
    api("olivia").wait(command)
    addresses = [f"/sandboxes/{sandbox['id']}/", f"/commands/{command['id']}/"]
    page = visit("sam", "/history/", expect=("404",))
    expect(page.locator("main")).to_contain_text("Nothing ran yet")
    for path in addresses:
        page.goto(path)
        expect(page.get_by_role("main")).to_contain_text("404")
        expect(page.get_by_role("main")).not_to_contain_text("secret")
    for path in ("/", "/sandboxes/", f"/history/?sandbox={sandbox['id']}"):
        page.goto(path)
        expect(page.locator("tbody")).to_have_count(0)
        expect(page.locator("body")).not_to_contain_text("shared box")
    nobody = visit(None, addresses[0])
    expect(nobody.get_by_role("heading", name="Sign in")).to_be_visible()


def test_sign_out_reaches_the_other_tab(visit, people, api, sandbox):
    """After a sign-out every page of that browser leads to the login."""
    page = visit(None)
    sign_in(page, people["olivia"])
    other = page.context.new_page()
    other.goto(f"/sandboxes/{sandbox['id']}/")
    screen.expect_live(other)
    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    api("olivia").ok("POST", f"/sandboxes/{sandbox['id']}/stop")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
