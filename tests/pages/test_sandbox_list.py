"""The list of sandboxes: filters, search, paging, access."""

from __future__ import annotations

import pytest


def test_it_shows_name_state_and_owner(browser, alice, make_sandbox):
    make_sandbox(name="builder", state="stopped")
    page = browser(alice).get("/sandboxes/").text
    assert "builder" in page
    assert "Stopped" in page
    assert "alice@example.com" in page


def test_a_viewer_sees_the_teams_a_stranger_does_not(browser, bob, mallory, make_sandbox):
    make_sandbox(name="builder")
    assert "builder" in browser(bob).get("/sandboxes/").text
    assert "builder" not in browser(mallory).get("/sandboxes/").text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, {"api", "web"}),
        ({"q": "AP"}, {"api"}),
        ({"state": "running"}, {"web"}),
        ({"state": "deleted"}, {"old"}),
        ({"provider": "local", "q": "w"}, {"web"}),
        ({"q": "nothing"}, set()),
    ],
)
def test_filters(browser, alice, make_sandbox, query, shown):
    make_sandbox(name="api", state="stopped")
    make_sandbox(name="web")
    make_sandbox(name="old", state="deleted")
    part = browser(alice).get("/sandboxes/", {**query, "fragment": "live"}).text
    assert {name for name in ("api", "web", "old") if f">{name}<" in part} == shown
    assert ("No sandbox matches" in part) == (not shown)


def test_a_wrong_filter_is_an_error_page(browser, alice):
    for query in ({"state": "sleeping"}, {"cursor": "x"}):
        response = browser(alice).get("/sandboxes/", query)
        assert response.status_code == 422
        assert "To the dashboard" in response.text


def test_paging_goes_there_and_back_and_keeps_filters(browser, alice, make_sandbox):
    for number in range(53):
        make_sandbox(name=f"box-{number:02}")
    first = browser(alice).get("/sandboxes/", {"q": "box"})
    assert "box-52" in first.text
    assert "box-02" not in first.text
    older = first.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "q=box" in older
    second = browser(alice).get(f"/sandboxes/{older}")
    assert "box-02" in second.text
    assert 'rel="prev"' in second.text
    assert 'rel="next"' not in second.text


def test_queries_do_not_grow_with_rows(
    browser, alice, make_user, make_sandbox, django_assert_max_num_queries
):
    for number in range(10):
        make_sandbox(owner=make_user(f"p{number}"))
    client = browser(alice)
    with django_assert_max_num_queries(9):
        client.get("/sandboxes/")
