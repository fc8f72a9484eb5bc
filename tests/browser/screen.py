"""What a person sees and does on the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.support.portal import wait_until

# the text of an output panel: finished lines share elements, long lines go on in the next row
TEXT = """
(panel) => [...panel.querySelectorAll("[data-lines] .l")].map((line, number) => {
  const before = number && !line.classList.contains("more") ? "\\n" : "";
  return before + line.textContent.replace(/\\n$/, "");
}).join("")
"""
PROBE = """
() => {
  const probe = (window.probe = { last: performance.now(), worst: 0, frames: 0, stop: false });
  const look = () => {
    const now = performance.now();
    probe.worst = Math.max(probe.worst, now - probe.last);
    probe.last = now;
    probe.frames += 1;
    if (!probe.stop) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
"""


def create_sandbox(page: Page, name: str, team: str = "") -> str:
    """Through the form; returns the sandbox's address once it runs."""
    page.goto("/sandboxes/new/")
    page.get_by_label("Name").fill(name)
    if team:
        page.get_by_label("Team").select_option(team)
    page.get_by_role("button", name="Create sandbox").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    expect_state(page, "Running")
    return page.url


def expect_state(page: Page, label: str) -> None:
    """The state beside the page's heading."""
    expect(page.locator(".head [role=status]")).to_have_text(label)


def run(page: Page, line: str) -> None:
    """Type a command and press Enter, once the page is live."""
    expect_live(page)
    box = page.get_by_role("textbox", name="Command", exact=True)
    box.fill(line)
    box.press("Enter")
    expect(page.locator("#panel [data-line]")).to_have_text(line)


def expect_live(page: Page) -> None:
    """The page says that it hears of every change."""
    expect(page.locator("[data-connection]")).to_have_text("Live")


def panel(page: Page) -> Locator:
    """The output panel."""
    return page.locator("[data-output]")


def text_of(page: Page) -> str:
    """All text that the output panel shows."""
    found: str = panel(page).evaluate(TEXT)
    return found


def ended(page: Page) -> bool:
    """Whether the panel knows that its command has ended."""
    return panel(page).get_attribute("data-state") == "ended"


def wait_for_text(
    page: Page, condition: Callable[[str], Any], what: str, seconds: float = 30
) -> str:
    """The panel's text as soon as it fits."""
    latest = ""

    def fits() -> bool:
        nonlocal latest
        latest = text_of(page)
        return bool(condition(latest))

    try:
        wait_until(fits, seconds, what)
    except AssertionError as error:
        raise AssertionError(f"{error}; the last of the panel's text: {latest[-300:]!r}") from None
    return latest


def wait_for_end(page: Page, seconds: float = 30) -> str:
    """The panel's text once its command has ended and everything is drawn."""
    expect(panel(page)).to_have_attribute("data-state", "ended", timeout=seconds * 1000)
    return text_of(page)


def lines(count: int, word: str = "line") -> str:
    """What ``ticking`` prints."""
    return "\n".join(f"{word} {number}" for number in range(1, count + 1))


def ticking(count: int, pause: float = 0.1, word: str = "line") -> str:
    """A command that prints so many lines with a pause after each."""
    return f"for i in $(seq 1 {count}); do echo {word} $i; sleep {pause}; done"


def probe(page: Page) -> Callable[[], float]:
    """Watch the page's frames from now on; the returned function says the longest pause in ms."""
    page.evaluate(PROBE)

    def worst() -> float:
        found: float = page.evaluate("() => { probe.stop = true; return probe.worst; }")
        return found

    return worst
