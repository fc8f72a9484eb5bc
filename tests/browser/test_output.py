"""What commands really print: bytes that are no text, colours, progress, very much of it."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import expect

from . import screen

pytestmark = pytest.mark.browser

AT_END = "(e) => e.scrollHeight - e.clientHeight - e.scrollTop < 8"
RESPONSIVE_MS = 1500  # the longest pause between two frames, on a busy machine without a GPU


@pytest.fixture
def page(api, visit):
    """The page of a running sandbox."""
    sandbox = api("kim").sandbox(name="output")
    yield visit("kim", f"/sandboxes/{sandbox['id']}/")
    api("kim").ok("DELETE", f"/sandboxes/{sandbox['id']}")


def printing(data: bytes) -> str:
    """A command that prints exactly these bytes."""
    return f"echo {base64.b64encode(data).decode()} | base64 -d"


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        pytest.param(b"a\xff\xfeb \xc3\xa9 \xe2\x82", "a��b é �", id="invalid-utf8"),
        pytest.param(b"one\0two\x07\n", "one␀two␇", id="nul-and-bell"),
        pytest.param(b"10 %\r50 %\r100 %\ndone\n", "100 %\ndone", id="progress"),
        pytest.param(b"loading...\r\x1b[Kready\n", "ready", id="erased-line"),
        pytest.param(b"\n\n  spaces \n\ttab\n\n", "\n\n  spaces \n\ttab\n", id="white-space"),
        pytest.param(b"\x1b]0;title\x07\x1b[2J\x1b[3;4Hx\n", "x", id="other-sequences"),
        pytest.param("日本語 👩‍🚀 é\n".encode(), "日本語 👩‍🚀 é", id="unicode"),
        pytest.param(b"\xe2\x80\xaegnp.exe\n", "�gnp.exe", id="text-turned-around"),
    ],
)
def test_bytes_become_text(page, data, shown):
    """Anything is shown sensibly, the same live and after a reload, and downloads byte by byte."""
    screen.run(page, printing(data))
    assert screen.wait_for_end(page) == shown
    page.reload()
    assert screen.wait_for_end(page) == shown
    with page.expect_download() as download:
        page.get_by_role("link", name="stdout").click()
    assert download.value.path().read_bytes() == data


def test_colours(page):
    """Colours and weights are shown, by the page's own palette."""
    screen.run(page, printing(b"\x1b[31mred\x1b[0m plain \x1b[1;48;2;1;2;3mbold\x1b[m\n"))
    assert screen.wait_for_end(page) == "red plain bold"
    log = page.get_by_role("log", name="Output of the command")
    red, bold = log.locator("span", has_text="red"), log.locator("span", has_text="bold")
    assert red.evaluate("(e) => e.style.color") == "var(--ansi-1)"
    assert bold.evaluate("(e) => [e.style.fontWeight, e.style.background]") == [
        "700",
        "rgb(1, 2, 3)",
    ]


def test_progress_bar_while_it_runs(page):
    """A progress bar writes over itself, live."""
    screen.run(page, r"for i in 1 2 3 4 5 6; do printf '\rstep %d of 6' $i; sleep 0.3; done")
    screen.wait_for_text(page, lambda text: text in ("step 2 of 6", "step 3 of 6"), "a step")
    assert screen.wait_for_end(page) == "step 6 of 6"


def test_hundred_thousand_lines(page):
    """The page stays usable; the latest lines are there, and a note says where the rest is."""
    worst = screen.probe(page)
    screen.run(page, "seq 1 100000")
    box = page.get_by_role("textbox", name="Command", exact=True)
    box.fill("typed meanwhile")
    shown = screen.wait_for_end(page, 60)
    assert worst() < RESPONSIVE_MS
    everything = "\n".join(map(str, range(1, 100_001)))
    assert everything.endswith(shown)
    assert 5_000 < shown.count("\n") < 25_000
    expect(page.locator("[data-notice]")).to_have_text(
        "Only the latest output is shown here. Download it to see all."
    )
    expect(box).to_have_value("typed meanwhile")
    with page.expect_download() as download:
        page.get_by_role("link", name="stdout").click()
    assert download.value.path().read_text() == everything + "\n"


def test_one_line_of_ten_megabytes(page):
    """The page stays usable while it comes and after a reload."""
    worst = screen.probe(page)
    screen.run(page, "head -c 10000000 /dev/zero | tr '\\0' x; echo; echo after")
    shown = screen.wait_for_end(page, 60)
    assert worst() < RESPONSIVE_MS
    assert shown.endswith("xxx\nafter")
    assert len(shown) < 5_000_000
    assert set(shown) == set("x\nafter")
    page.reload()
    worst = screen.probe(page)
    assert screen.wait_for_end(page, 60).endswith("xxx\nafter")
    assert worst() < RESPONSIVE_MS


def test_find_in_output(page):
    """Matches are counted and stepped through."""
    screen.run(page, "seq 1 300 | sed 's/^/row /'")
    screen.wait_for_end(page)
    field = page.get_by_role("searchbox", name="Find in output")
    field.fill("row 29")
    found = page.locator("[data-search] output")
    expect(found).to_have_text("1 of 11")
    field.press("Enter")
    expect(found).to_have_text("2 of 11")
    field.fill("no such thing")
    expect(found).to_have_text("none")


def test_follow_and_pause(page):
    """The panel follows the end; scrolling up pauses, and coming back follows again."""
    screen.run(page, "seq 1 500; sleep 1.5; seq 501 1000; sleep 1.5; seq 1001 1500")
    log = page.get_by_role("log", name="Output of the command")
    follow = page.get_by_role("button", name="Follow")
    screen.wait_for_text(page, lambda text: text.endswith("500"), "the first part")
    log.hover()
    page.mouse.wheel(0, -2000)
    expect(follow).to_have_attribute("aria-pressed", "false")
    screen.wait_for_text(page, lambda text: text.endswith("1000"), "the second part")
    assert not log.evaluate(AT_END)
    follow.click()
    screen.wait_for_end(page)
    page.wait_for_function(f"() => ({AT_END})(document.querySelector('[data-lines]'))")


def test_follow_survives_a_turned_phone(page):
    """Another width wraps lines anew, another theme colours them: the end stays in view."""
    line = "a line that is long enough to be wrapped on a narrow screen, and then some more"
    screen.run(page, f"seq -f '{line} %g' 1 700; {screen.ticking(400, 0.2)}")
    screen.wait_for_text(page, lambda text: "line 3" in text, "ticking lines")
    for width, height in ((390, 844), (844, 390), (390, 500), (390, 844), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if width == 390 else "light")
        latest = screen.text_of(page).splitlines()[-1]
        screen.wait_for_text(page, lambda text, was=latest: not text.endswith(was), "more lines")
        page.wait_for_function(f"() => ({AT_END})(document.querySelector('[data-lines]'))")
        expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "true")
