"""Sign in, create a sandbox, run commands, watch them, find them again: all through the pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.portal import wait_until

from . import screen
from .people import sign_in

pytestmark = pytest.mark.browser

COUNT = 40


def test_a_first_session(visit, people):
    """One person's way from the sign-in to a deleted sandbox whose commands are still there."""
    page = visit(None)
    sign_in(page, people["nora"])
    address = screen.create_sandbox(page, "Nora's first")

    # a command that prints for some seconds is seen line by line, also across a reload
    screen.run(page, screen.ticking(COUNT))
    early = screen.wait_for_text(page, lambda text: text.count("\n") >= 3, "some lines")
    assert not screen.ended(page)
    assert screen.lines(COUNT).startswith(early)
    assert len(early) < len(screen.lines(COUNT))
    page.reload()
    after = screen.wait_for_text(page, lambda text: len(text) > len(early), "more lines")
    assert screen.lines(COUNT).startswith(after)
    assert screen.wait_for_end(page) == screen.lines(COUNT)
    head = page.locator("#panel [data-head]")
    expect(head.locator(".state")).to_have_text("exit 0")
    took = head.locator("[data-took]").inner_text()
    assert 3.5 < float(took.removesuffix(" s")) < 15, took

    # a second one is cancelled
    screen.run(page, "echo begun; sleep 600; echo never")
    screen.wait_for_text(page, lambda text: text == "begun", "the first line")
    page.locator("#panel").get_by_role("button", name="Cancel").click()
    expect(head.locator(".state")).to_have_text("Cancelled")
    assert screen.wait_for_end(page) == "begun"

    # both are in the history
    page.get_by_role("link", name="History").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0).locator(".state")).to_have_text("Cancelled")
    expect(rows.nth(0)).to_contain_text("sleep 600")
    expect(rows.nth(1).locator(".state")).to_have_text("exit 0")
    expect(rows.nth(1)).to_contain_text("Nora's first")

    # the command's page has the same output, and its download is exact
    rows.nth(1).get_by_role("link", name="for i in").click()
    screen.expect_state(page, "exit 0")
    assert screen.wait_for_end(page) == screen.lines(COUNT)
    with page.expect_download() as download:
        page.get_by_role("link", name="stdout").click()
    assert download.value.path().read_bytes() == (screen.lines(COUNT) + "\n").encode()
    assert download.value.suggested_filename.endswith(".stdout.txt")

    # stop, start, delete
    page.goto(address)
    screen.expect_live(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    screen.expect_state(page, "Stopped")
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_disabled()
    page.get_by_role("button", name="Start", exact=True).click()
    screen.expect_state(page, "Running")
    screen.run(page, "echo again; exit 3")
    assert screen.wait_for_end(page) == "again"
    expect(head.locator(".state")).to_have_text("exit 3")
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("lost for good")
    dialog.get_by_role("button", name="Delete").click()
    screen.expect_state(page, "Deleted")

    # the history outlives the sandbox
    page.get_by_role("link", name="History").click()
    expect(rows).to_have_count(3)
    rows.nth(2).get_by_role("link", name="for i in").click()
    assert screen.wait_for_end(page) == screen.lines(COUNT)
    page.get_by_role("link", name="Nora's first").click()
    screen.expect_state(page, "Deleted")


def test_run_again_and_recall(visit, api):
    """A command runs again from its page, and the arrow key brings its line back."""
    sandbox = api("kim").sandbox(name="again")
    page = visit("kim", f"/sandboxes/{sandbox['id']}/")
    screen.run(page, "echo once >> seen; wc -l < seen")
    assert screen.wait_for_end(page) == "1"
    page.locator("#panel").get_by_role("button", name="Run again").click()
    screen.expect_state(page, "exit 0")
    assert screen.wait_for_end(page) == "2"
    page.get_by_role("link", name="again", exact=True).click()
    screen.expect_live(page)
    box = page.get_by_role("textbox", name="Command", exact=True)
    box.press("ArrowUp")
    expect(box).to_have_value("echo once >> seen; wc -l < seen")
    box.press("Enter")
    wait_until(lambda: screen.text_of(page) == "3", 20, "the third run's output")


def test_input_reaches_a_running_command(visit, api):
    """A line typed for a running command arrives there, and so does the end of input."""
    sandbox = api("kim").sandbox(name="input")
    page = visit("kim", f"/sandboxes/{sandbox['id']}/")
    screen.run(page, "read name; echo hello $name; cat; echo done")
    field = page.get_by_role("textbox", name="Input for the running command")
    field.fill("portal")
    field.press("Enter")
    screen.wait_for_text(page, lambda text: text == "hello portal", "the answer")
    page.get_by_role("button", name="End of input").click()
    assert screen.wait_for_end(page) == "hello portal\ndone"


def test_both_streams_are_told_apart(visit, api):
    """stdout and stderr are shown together or one alone; a failed command says its exit code."""
    sandbox = api("kim").sandbox(name="streams")
    page = visit("kim", f"/sandboxes/{sandbox['id']}/")
    screen.run(page, "echo out; sleep 0.3; echo err >&2; exit 7")
    screen.wait_for_end(page)
    log = page.get_by_role("log", name="Output of the command")
    expect(log).to_contain_text("out")
    expect(log.get_by_text("err")).to_be_visible()
    page.get_by_role("button", name="stdout", exact=True).click()
    expect(log.get_by_text("err")).to_be_hidden()
    page.get_by_role("button", name="stderr", exact=True).click()
    expect(log.get_by_text("out")).to_be_hidden()
    expect(log.get_by_text("err")).to_be_visible()
    expect(page.locator("#panel [data-head] .state")).to_have_text("exit 7")
