"""Every page: usable by everyone (axe), nothing blocked or broken, nothing wider than a phone.

Each is seen at 1440 and 390 pixels, light and dark; what it looked like is in
``test-results/screenshots``, for people to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.support.client import Api

from . import screen

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

WIDTHS = {1440: 900, 390: 844}
THEMES = ("light", "dark")
TALLEST = 2400
OPTIONS = {"resultTypes": ["violations"]}
REPORT = r"""cd "$HOME" && for i in $(seq 1 24); do
  printf 'tests/test_%02d.py \033[32mPASSED\033[0m [%3d%%]\n' $i $((i * 4))
done
printf '\033[1;31mtests/test_25.py FAILED\033[0m [100%%]\n'
echo 'Traceback: expected 3, got 4' >&2
exit 1
"""


class World:
    """What olivia's team has: sandboxes in several states and what ran in them."""

    def __init__(self, api: Api, team: str) -> None:
        config = {"network": True, "environment": {"STAGE": "test"}}
        self.busy = api.sandbox(name="release tests", team=team, config=config)
        for line in (
            "git clone https://example.org/a/repository/with/a/long/name.git --branch main",
            "exit 3",
            "echo hello from $(hostname)",
        ):
            api.wait(api.run(self.busy, line))
        self.red = api.run(self.busy, REPORT)
        api.wait(self.red)
        self.quick = api.run(self.busy, "true")
        self.running = api.run(
            self.busy, f"seq 500; {screen.ticking(2000, 0.2)}", working_dir="/tmp", timeout=900
        )
        self.fresh = api.sandbox(name="fresh", team=team)
        self.stopped = api.sandbox(name="stopped box", team=team)
        api.wait(api.run(self.stopped, "uname -a"))
        api.ok("POST", f"/sandboxes/{self.stopped['id']}/stop")
        self.deleted = api.sandbox(name="deleted box", team=team)
        self.kept = api.run(self.deleted, "echo still here")
        api.wait(self.kept)
        api.ok("DELETE", f"/sandboxes/{self.deleted['id']}")
        for name, state in ((self.stopped, "stopped"), (self.deleted, "deleted")):
            found = api.ok("GET", f"/sandboxes/{name['id']}", params={"wait": 30})
            assert found["state"] == state


@pytest.fixture(scope="module")
def world(portal, people):
    """Made once for all pages."""
    api = Api(portal.url, people["olivia"].token)
    world = World(api, people["olivia"].team)
    yield world
    for sandbox in (world.busy, world.fresh, world.stopped):
        api.ok("DELETE", f"/sandboxes/{sandbox['id']}")
    api.http.close()


def wrong_password(page: Page) -> None:
    page.get_by_label("Email").fill("olivia@example.org")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".errorlist").first).to_be_visible()


def wrong_form(page: Page) -> None:
    page.get_by_label("Name").fill("build farm")
    page.locator("textarea").first.fill("not a variable")
    page.get_by_role("button", name="Create sandbox").click()
    expect(page.get_by_role("alert").first).to_contain_text("Nothing was created")


def ask_delete(page: Page) -> None:
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()


def open_menu(page: Page) -> None:
    page.get_by_role("button", name="Account").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def wait_for_lines(page: Page) -> None:
    screen.wait_for_text(page, len, "output")


# name: (who, address made from the world, what is done there first, part of expected errors)
Setup = Callable[[Page], None] | None
PAGES: dict[str, tuple[str | None, Callable[[World], str], Setup, str]] = {
    "login": (None, lambda w: "/accounts/login/", None, ""),
    "login-wrong": (None, lambda w: "/accounts/login/", wrong_password, ""),
    "password-forgotten": (None, lambda w: "/accounts/password/reset/", None, ""),
    "sign-out": ("newton", lambda w: "/accounts/logout/", None, ""),
    "addresses": ("newton", lambda w: "/accounts/email/", None, ""),
    "password": ("newton", lambda w: "/accounts/password/change/", None, ""),
    "dashboard-empty": ("newton", lambda w: "/", None, ""),
    "sandboxes-empty": ("newton", lambda w: "/sandboxes/", None, ""),
    "history-empty": ("newton", lambda w: "/history/", None, ""),
    "dashboard": ("olivia", lambda w: "/", None, ""),
    "menu": ("olivia", lambda w: "/", open_menu, ""),
    "sandboxes": ("olivia", lambda w: "/sandboxes/", None, ""),
    "sandboxes-no-match": ("olivia", lambda w: "/sandboxes/?q=nothing+like+it", None, ""),
    "sandbox-new": ("olivia", lambda w: "/sandboxes/new/", None, ""),
    "sandbox-new-wrong": ("olivia", lambda w: "/sandboxes/new/", wrong_form, "422"),
    "sandbox": ("olivia", lambda w: f"/sandboxes/{w.busy['id']}/", wait_for_lines, ""),
    "sandbox-fresh": ("olivia", lambda w: f"/sandboxes/{w.fresh['id']}/", None, ""),
    "sandbox-stopped": ("olivia", lambda w: f"/sandboxes/{w.stopped['id']}/", wait_for_lines, ""),
    "sandbox-deleted": ("olivia", lambda w: f"/sandboxes/{w.deleted['id']}/", wait_for_lines, ""),
    "sandbox-delete": ("olivia", lambda w: f"/sandboxes/{w.fresh['id']}/", ask_delete, ""),
    "sandbox-viewer": ("victor", lambda w: f"/sandboxes/{w.busy['id']}/", wait_for_lines, ""),
    "history": ("olivia", lambda w: "/history/", None, ""),
    "history-filtered": ("olivia", lambda w: "/history/?q=echo&state=exited", None, ""),
    "command": ("olivia", lambda w: f"/commands/{w.red['id']}/", wait_for_lines, ""),
    "command-running": ("olivia", lambda w: f"/commands/{w.running['id']}/", wait_for_lines, ""),
    "command-silent": ("olivia", lambda w: f"/commands/{w.quick['id']}/", None, ""),
    "not-found": ("sam", lambda w: f"/sandboxes/{w.busy['id']}/", None, "404"),
    "not-found-nobody": (None, lambda w: "/no/such/page", None, "404"),
}
OTHERS = {
    "admin-login": (None, "/admin/login/"),
    "admin": ("root", "/admin/"),
    "admin-commands": ("root", "/admin/sandboxes/command/"),
    "api-docs": ("olivia", "/api/v1/docs"),
}


@pytest.mark.parametrize("name", PAGES)
def test_page(visit, world, results, name):
    """Without violations of accessibility rules, and as wide as the screen."""
    who, address, prepare, error = PAGES[name]
    page = visit(who, address(world), expect=(error,) if error else ())
    if prepare:
        prepare(page)
    if page.locator("[data-live]").count():
        screen.expect_live(page)
    problems = []
    for width, theme in looks(page):
        shot(page, results, f"{name}-{width}-{theme}", width)
        problems += [f"{name} at {width} px: wider than the screen: {e}" for e in too_wide(page)]
    axe = Axe()  # afterwards: it scrolls what it looks at
    for width, theme in looks(page):
        found = axe.run(page, options=OPTIONS).response["violations"]
        problems += [f"{name} at {width} px, {theme}: {told(violation)}" for violation in found]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", OTHERS)
def test_page_of_others_making(visit, results, name):
    """Administration and API documents run under the same content security policy."""
    who, path = OTHERS[name]
    page = visit(who, path)
    page.wait_for_load_state("networkidle")
    assert page.locator("body").inner_text().strip()
    shot(page, results, f"{name}-1440-light", 1440)


def looks(page: Page) -> Iterator[tuple[int, str]]:
    """The page in every width and theme."""
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            yield width, theme


def shot(page: Page, results: Any, name: str, width: int) -> None:
    """The whole page, up to a height that is still looked at."""
    tall = page.evaluate("() => document.documentElement.scrollHeight")
    # not full_page: that scrolls every panel to its top
    page.set_viewport_size({"width": width, "height": max(WIDTHS[width], min(tall, TALLEST))})
    page.screenshot(path=results / "screenshots" / f"{name}.png", scale="css")
    page.set_viewport_size({"width": width, "height": WIDTHS[width]})


def told(violation: dict[str, Any]) -> str:
    """One violation in a line: the rule, and the elements."""
    nodes = [node["html"][:120] for node in violation["nodes"][:3]]
    summary = violation["nodes"][0]["failureSummary"].replace("\n", " ")[:300]
    return f"{violation['id']}: {nodes} {summary}"


def too_wide(page: Page) -> list[str]:
    """What makes the page scroll sideways."""
    found: list[str] = page.evaluate("""() => {
      const { clientWidth: wide, scrollWidth: needed } = document.documentElement;
      if (needed <= wide) return [];
      const hides = (e) => getComputedStyle(e).overflowX !== "visible";
      const scrolls = (e) => e && (hides(e) || scrolls(e.parentElement));
      return [`${needed} px`, ...[...document.body.querySelectorAll("*")]
        .filter((e) => e.getBoundingClientRect().right > wide + 1 && !scrolls(e.parentElement))
        .map((e) => `${e.tagName} ${e.className} ${e.getBoundingClientRect().right}`)];
    }""")
    return found
