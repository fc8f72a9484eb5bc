"""The history: filters, paging, access; it outlives sandboxes."""

from __future__ import annotations

import pytest


def test_it_outlives_the_sandbox(browser, bob, make_command, make_sandbox):
    make_command(sandbox=make_sandbox(name="old", state="deleted"), command="make all")
    page = browser(bob).get("/history/").text
    assert "make all" in page
    assert "old (deleted)" in page


def test_a_stranger_sees_nothing(browser, mallory, make_command):
    make_command(command="make all")
    page = browser(mallory).get("/history/").text
    assert "make all" not in page
    assert "alice@example.com" not in page
    assert "Nothing ran yet" in page


def test_filters(browser, alice, carol, make_command, make_sandbox):
    other = make_sandbox(name="other")
    make_command(command="make all", exit_code=1)
    make_command(command="make test", sandbox=other, user=carol)
    make_command(command="sleep 9", state="running")

    def shown(**query: str) -> set[str]:
        part = browser(alice).get("/history/", {**query, "fragment": "live"}).text
        return {line for line in ("make all", "make test", "sleep 9") if f">{line}<" in part}

    assert shown() == {"make all", "make test", "sleep 9"}
    assert shown(q="MAKE") == {"make all", "make test"}
    assert shown(person=str(carol.pk)) == {"make test"}
    assert shown(sandbox=str(other.pk)) == {"make test"}
    assert shown(state="running") == {"sleep 9"}
    assert shown(q="make", state="running") == set()


@pytest.mark.parametrize(
    "query", [{"cursor": "!"}, {"state": "x"}, {"person": "x"}, {"sandbox": "x"}, {"q": "a\0"}]
)
def test_a_wrong_filter_is_an_error_page(browser, alice, query):
    assert browser(alice).get("/history/", query).status_code == 422


def test_paging_older_and_newer(browser, alice, make_command, make_sandbox):
    box = make_sandbox()
    for number in range(60):
        make_command(sandbox=box, command=f"echo {number:02}")
    first = browser(alice).get("/history/").text
    assert "echo 59" in first
    assert "echo 09" not in first
    older = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = browser(alice).get(f"/history/{older}").text
    assert "echo 09" in second
    assert "echo 10" not in second
    newer = second.split('rel="prev" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "echo 59" in browser(alice).get(f"/history/{newer}").text


def test_queries_do_not_grow_with_rows(
    browser, alice, make_user, make_command, django_assert_max_num_queries
):
    for number in range(8):
        make_command(user=make_user(f"p{number}"))
    client = browser(alice)
    with django_assert_max_num_queries(9):
        client.get("/history/")
