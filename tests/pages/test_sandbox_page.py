"""One sandbox's page as owner, member, viewer and stranger, and its buttons."""

from __future__ import annotations

import uuid

import pytest


def greyed(page: str, button: str) -> bool:
    """Whether the action's button is greyed with a reason."""
    return f'aria-describedby="why-{button}"' in page


def test_the_owner_sees_state_history_and_timeline(browser, alice, make_sandbox, make_command):
    from sandboxes.timeline import note

    box = make_sandbox(name="builder")
    note(box, "created", "Created at Local", alice)
    make_command(sandbox=box, command="make all", exit_code=2)
    page = browser(alice).get(f"/sandboxes/{box.pk}/").text
    assert "<title>builder \u2013 Running" in page
    assert "make all" in page
    assert "exit 2" in page
    assert "Created at Local" in page
    assert greyed(page, "start")
    assert not greyed(page, "stop")


def test_a_stranger_gets_the_same_404_as_for_nothing(browser, mallory, make_sandbox):
    box = make_sandbox(name="builder")
    for pk in (box.pk, uuid.uuid4()):
        response = browser(mallory).get(f"/sandboxes/{pk}/")
        assert response.status_code == 404
        assert "builder" not in response.text
        assert "There is no such sandbox." in response.text


def test_a_viewer_sees_greyed_buttons_with_the_reason(browser, bob, make_sandbox):
    box = make_sandbox()
    page = browser(bob).get(f"/sandboxes/{box.pk}/").text
    for button in ("start", "stop", "delete"):
        assert greyed(page, button)
    assert "Viewers of this team can&#x27;t run commands." in page
    assert "<fieldset" in page
    assert "disabled>" in page


def test_a_member_may_only_what_is_their_own(browser, carol, make_sandbox):
    page = browser(carol).get(f"/sandboxes/{make_sandbox().pk}/").text
    assert greyed(page, "stop")
    own = browser(carol).get(f"/sandboxes/{make_sandbox(owner=carol).pk}/").text
    assert not greyed(own, "stop")


@pytest.mark.parametrize(
    ("state", "start", "stop", "delete"),
    [
        ("creating", True, True, False),
        ("running", True, False, False),
        ("stopped", False, True, False),
        ("failed", True, True, False),
        ("lost", True, True, False),
        ("deleting", True, True, True),
        ("deleted", True, True, True),
    ],
)
def test_buttons_follow_the_state(browser, alice, make_sandbox, state, start, stop, delete):
    page = browser(alice).get(f"/sandboxes/{make_sandbox(state=state).pk}/").text
    assert [greyed(page, b) for b in ("start", "stop", "delete")] == [start, stop, delete]
    assert ('id="ask-delete"' in page) == (not delete)


def test_failure_and_missing_isolation_are_said(browser, alice, make_sandbox):
    box = make_sandbox(state="failed", reason="bubblewrap is missing.", isolation="none")
    page = browser(alice).get(f"/sandboxes/{box.pk}/").text
    assert "bubblewrap is missing." in page
    assert "Not isolated." in page


def test_names_of_variables_are_shown_but_no_values(browser, alice, make_sandbox):
    box = make_sandbox(config={"environment": {"TOKEN": "hunter2"}, "memory_mb": 512})
    page = browser(alice).get(f"/sandboxes/{box.pk}/").text
    assert "TOKEN" in page
    assert "hunter2" not in page
    assert "512 MiB" in page


def test_markup_in_names_and_commands_is_text(browser, alice, make_sandbox, make_command):
    box = make_sandbox(name="<script>alert(1)</script>")
    make_command(sandbox=box, command="<img src=x onerror=alert(1)>")
    page = browser(alice).get(f"/sandboxes/{box.pk}/").text
    assert "<script>alert" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize(
    ("verb", "before", "after"),
    [
        ("start", "stopped", "starting"),
        ("stop", "running", "stopping"),
        ("delete", "running", "deleting"),
    ],
)
def test_actions_without_javascript_redirect(browser, alice, make_sandbox, verb, before, after):
    box = make_sandbox(state=before)
    response = browser(alice).post(f"/sandboxes/{box.pk}/{verb}/", follow=True)
    assert response.redirect_chain[-1][0] == box.get_absolute_url()
    assert 'class="alert success"' in response.text
    box.refresh_from_db()
    assert box.state == after


def test_actions_by_script_answer_with_events(browser, alice, make_sandbox):
    box = make_sandbox()
    response = browser(alice).post(f"/sandboxes/{box.pk}/stop/", headers={"HX-Request": "true"})
    assert response.status_code == 204
    assert "portal:refresh" in response["HX-Trigger"]


@pytest.mark.parametrize("verb", ["start", "stop", "delete", "run"])
def test_a_viewer_is_forbidden_and_a_stranger_finds_nothing(
    browser, bob, mallory, make_sandbox, verb
):
    box = make_sandbox()
    form = {"command": "true"}
    assert browser(bob).post(f"/sandboxes/{box.pk}/{verb}/", form).status_code == 403
    assert browser(mallory).post(f"/sandboxes/{box.pk}/{verb}/", form).status_code == 404
    assert browser(mallory).get(f"/sandboxes/{box.pk}/{verb}/").status_code == 405
    box.refresh_from_db()
    assert box.state == "running"


def test_a_conflict_is_said_to_script_and_page(browser, alice, make_sandbox):
    box = make_sandbox(state="failed")
    page = browser(alice).post(f"/sandboxes/{box.pk}/stop/")
    assert page.status_code == 409
    assert "it is failed" in page.text
    script = browser(alice).post(f"/sandboxes/{box.pk}/stop/", headers={"HX-Request": "true"})
    assert script.status_code == 409
    assert 'class="alert error"' in script.text
    assert "<html" not in script.text


def test_run_without_javascript_leads_to_the_commands_page(browser, alice, make_sandbox):
    from sandboxes.models import Command

    box = make_sandbox()
    form = {"command": "echo a\r\necho b", "working_dir": "/tmp", "timeout": "60"}
    response = browser(alice).post(f"/sandboxes/{box.pk}/run/", form)
    made = Command.objects.get()
    assert response["Location"] == made.get_absolute_url()
    assert made.command == "echo a\necho b"
    assert (made.working_dir, made.timeout_seconds) == ("/tmp", 60)


@pytest.mark.parametrize("form", [{"command": ""}, {"command": "true", "timeout": "-1"}])
def test_a_wrong_run_form_is_an_error_page(browser, alice, make_sandbox, form):
    box = make_sandbox()
    assert browser(alice).post(f"/sandboxes/{box.pk}/run/", form).status_code == 422


def test_queries_do_not_grow_with_rows(
    browser, alice, make_user, make_sandbox, make_command, django_assert_max_num_queries
):
    from sandboxes.timeline import note

    box = make_sandbox()
    for number in range(8):
        person = make_user(f"p{number}")
        make_command(sandbox=box, user=person)
        note(box, "started", "Started", person)
    client = browser(alice)
    with django_assert_max_num_queries(10):
        client.get(f"/sandboxes/{box.pk}/")
