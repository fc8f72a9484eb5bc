"""A real portal, and a browser for each person who uses it.

Every page is watched: an error on its console, an exception of its script or a violation of the
content security policy fails the test that saw it. A test that provokes errors names them with
``visit(…, expect=("part of the message",))``.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.client import Api
from tests.support.portal import ROOT, Portal

from .people import Person, make_people, sign_in

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
RESULTS = ROOT / "test-results"
WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.effectiveDirective} blocked ${event.blockedURI} ${event.sample}`));
"""

expect.set_options(timeout=20_000)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Let the fixtures know whether the test failed."""
    report = yield
    item.stash.setdefault(_FAILED, []).append(report.failed)
    return report


_FAILED = pytest.StashKey[list[bool]]()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert program, f"none of {', '.join(CHROMIUM)} is installed"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Started once. Tests that kill a part of it start that part again."""
    assert (ROOT / "static/dist/portal").is_dir(), "the page assets are not built: make assets"
    portal = Portal(tmp_path_factory.mktemp("portal"))
    portal.manage("prepare")
    try:
        portal.start().wait_ready()
        yield portal
    finally:
        portal.stop()


@pytest.fixture(scope="package")
def people(portal: Portal) -> dict[str, Person]:
    """Everybody of ``people.py``, with a token."""
    return make_people(portal)


@pytest.fixture(scope="package")
def signed_in() -> dict[str, Any]:
    """The cookies of those who have signed in, by name; filled by ``visit``."""
    return {}


Visit = Callable[..., Page]


@pytest.fixture
def visit(
    request: pytest.FixtureRequest,
    browser: Browser,
    portal: Portal,
    people: dict[str, Person],
    signed_in: dict[str, Any],
) -> Iterator[Visit]:
    """``visit("olivia", "/history/")``: a page in a browser of hers; ``None`` is nobody.

    Further options are those of Playwright's ``new_context``.
    """
    opened: list[tuple[BrowserContext, list[str], tuple[str, ...]]] = []

    def go(name: str | None, path: str = "/", expect: tuple[str, ...] = (), **options: Any) -> Page:
        if name and name not in signed_in:
            signed_in[name] = _cookies(browser, portal, people[name])
        state = signed_in[name] if name else None
        options.setdefault("viewport", {"width": 1440, "height": 900})
        context = browser.new_context(base_url=portal.url, storage_state=state, **options)
        problems: list[str] = []
        opened.append((context, problems, expect))
        context.set_default_timeout(20_000)
        context.add_init_script(WATCH)
        context.on("weberror", lambda error: problems.append(f"exception: {error.error}"))
        context.on("console", lambda said: _note(problems, said))
        page = context.new_page()
        page.goto(path)
        return page

    yield go
    name = re.sub(r"[^\w.-]+", "-", request.node.name)
    failed = any(request.node.stash.get(_FAILED, []))
    for number, (context, _, _) in enumerate(opened):
        if failed:
            for page in context.pages:
                page.screenshot(path=RESULTS / "failures" / f"{name}-{number}.png")
        context.close()
    unexpected = [
        problem
        for _, problems, known in opened
        for problem in problems
        if not any(part in problem for part in known)
    ]
    assert not unexpected, "\n".join(unexpected)


def _note(problems: list[str], said: Any) -> None:
    if said.type == "error":
        problems.append(f"{said.text} ({said.location.get('url')})")


def _cookies(browser: Browser, portal: Portal, person: Person) -> Any:
    with browser.new_context(base_url=portal.url) as context:
        page = context.new_page()
        sign_in(page, person)
        return context.storage_state()


@pytest.fixture
def api(portal: Portal, people: dict[str, Person]) -> Iterator[Callable[[str], Api]]:
    """``api("olivia")``: a program of hers."""
    made: list[Api] = []

    def make(name: str) -> Api:
        made.append(Api(portal.url, people[name].token))
        return made[-1]

    yield make
    for client in made:
        client.http.close()


@pytest.fixture(scope="package")
def results() -> Path:
    """A folder for what a person looks at afterwards; git ignores it."""
    return RESULTS
