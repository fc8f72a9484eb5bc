"""The dashboard: what runs, what ran, providers' health; only of one's own teams."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone


def test_a_new_person_learns_the_first_step(browser, alice):
    page = browser(alice).get("/").text
    assert "Create a sandbox" in page
    assert "/sandboxes/new/" in page


def test_a_viewer_learns_that_owners_create(browser, bob, make_user, team):
    from accounts.models import Membership

    Membership.objects.filter(user=bob).exclude(team=team).delete()
    page = browser(bob).get("/").text
    assert "Ask an owner of your team" in page


def test_it_shows_running_sandboxes_and_recent_commands(browser, alice, make_sandbox, make_command):
    make_sandbox(name="gone", state="deleted")
    make_command(sandbox=make_sandbox(name="builder"), command="make all", exit_code=2)
    page = browser(alice).get("/").text
    assert "builder" in page
    assert "make all" in page
    assert "exit 2" in page
    assert "gone" not in page


def test_a_stranger_sees_nothing_of_it(browser, mallory, make_sandbox, make_command):
    make_command(sandbox=make_sandbox(name="builder"), command="make all")
    page = browser(mallory).get("/").text
    assert "builder" not in page
    assert "make all" not in page


def test_health_is_told_in_words(browser, alice, healthy):
    assert "Isolated by bubblewrap." in browser(alice).get("/").text
    healthy.ok, healthy.summary = False, "No user namespaces here."
    healthy.save()
    page = browser(alice).get("/").text
    assert "Unusable" in page
    assert "No user namespaces here." in page


def test_without_a_worker_the_page_says_so(browser, alice, healthy):
    from providers.models import Worker

    Worker.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
    page = browser(alice).get("/").text
    assert "No worker is running" in page
    assert "Isolated by bubblewrap." not in page


def test_the_live_part_is_the_same_without_the_frame(browser, alice, make_sandbox):
    make_sandbox(name="builder")
    part = browser(alice).get("/", {"fragment": "live"})
    assert "builder" in part.text
    assert "<html" not in part.text
    assert part["Cache-Control"] == "private, no-store"


def test_queries_do_not_grow_with_rows(
    browser, alice, make_sandbox, make_command, django_assert_max_num_queries
):
    for number in range(10):
        make_command(sandbox=make_sandbox(name=f"box {number}"))
    client = browser(alice)
    with django_assert_max_num_queries(12):
        client.get("/")
