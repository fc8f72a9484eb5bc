"""The main job with the keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from . import screen
from .people import PASSWORD

pytestmark = pytest.mark.browser

FOCUSED = """
() => {
  const e = document.activeElement;
  const label = e.getAttribute("aria-label") ?? e.textContent.trim();
  return `${e.tagName} ${e.name ?? ""} ${e.id} ${label}`;
}
"""


def tab_to(page: Page, what: str, most: int = 40) -> None:
    """Press Tab until the focus is there; it must be visible where it is."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if what in page.evaluate(FOCUSED):
            break
    else:
        raise AssertionError(f"Tab doesn't reach {what}")
    outline = "() => getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) != "none", f"the focus on {what} can't be seen"


def test_sign_in_create_run_and_read(visit, people):
    """Tab, Enter and typing are enough; what is focused can be seen."""
    page = visit(None)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    if "INPUT login" not in page.evaluate(FOCUSED):
        tab_to(page, "INPUT login")
    page.keyboard.type(people["kim"].email)
    tab_to(page, "INPUT password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()

    tab_to(page, "New sandbox")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="New sandbox", level=1)).to_be_visible()
    tab_to(page, "Skip to content")
    page.keyboard.press("Enter")
    tab_to(page, "INPUT name")
    page.keyboard.type("by keyboard")
    tab_to(page, "Create sandbox")
    page.keyboard.press("Enter")
    screen.expect_state(page, "Running")
    screen.expect_live(page)

    tab_to(page, "TEXTAREA command")
    page.keyboard.type("echo from the keyboard; sleep 600")
    page.keyboard.press("Enter")
    screen.wait_for_text(page, lambda text: text == "from the keyboard", "the output")
    tab_to(page, "BUTTON   Cancel")
    page.keyboard.press("Enter")
    expect(page.locator("#panel [data-head] .state")).to_have_text("Cancelled")
    tab_to(page, "Output of the command")

    page.reload()
    tab_to(page, "BUTTON   Delete")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    screen.expect_state(page, "Running")
