"""Creating a sandbox from the form that the provider's model makes."""

from __future__ import annotations

import pytest

FORM = {
    "provider": "local",
    "name": "builder",
    "ttl_seconds": "3600",
    "config.memory_mb": "512",
    "config.processes": "64",
    "config.cpu_seconds": "600",
    "config.disk_mb": "256",
    "config.network": "on",
    "config.environment": "LANG=C\n\n# words\nA=b=c",
}


def test_the_form_shows_the_models_fields_with_bounds_and_units(browser, alice):
    page = browser(alice).get("/sandboxes/new/").text
    assert 'name="config.memory_mb" value="1024" min="64"' in page
    assert "MiB" in page
    assert 'type="checkbox" name="config.network"' in page
    assert '<option value="28800" selected>8 hours</option>' in page


def test_create_leads_to_the_sandboxs_page(browser, alice):
    from sandboxes.models import Sandbox

    response = browser(alice).post("/sandboxes/new/", FORM)
    made = Sandbox.objects.get()
    assert response["Location"] == made.get_absolute_url()
    assert (made.name, made.owner, made.ttl_seconds) == ("builder", alice, 3600)
    assert made.config["memory_mb"] == 512
    assert made.config["network"] is True
    assert made.config["environment"] == {"LANG": "C", "A": "b=c"}


def test_empty_fields_fall_to_the_defaults(browser, alice):
    from sandboxes.models import Sandbox

    emptied = {**FORM, "name": "", "config.memory_mb": "", "config.environment": ""}
    browser(alice).post("/sandboxes/new/", emptied)
    made = Sandbox.objects.get()
    assert made.config["memory_mb"] == 1024
    assert made.config["environment"] == {}
    assert made.name


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("config.memory_mb", "1", "greater than or equal to 64"),
        ("config.memory_mb", "much", "Enter a whole number"),
        ("config.environment", "no equals sign", "Line 1 is not NAME=VALUE"),
        ("config.environment", "1BAD=x", "no variable name"),
        ("ttl_seconds", "7", "Select a valid choice"),
        ("name", "x" * 81, "at most 80 characters"),
        ("name", "tab\there", "control characters"),
    ],
)
def test_a_wrong_field_is_said_beside_it_and_nothing_is_made(browser, alice, field, value, said):
    from sandboxes.models import Sandbox

    response = browser(alice).post("/sandboxes/new/", {**FORM, field: value})
    assert response.status_code == 422
    assert said in response.text
    assert 'aria-invalid="true"' in response.text or "errorlist" in response.text
    assert not Sandbox.objects.exists()


def test_a_person_who_may_not_create_is_told(browser, bob, team):
    from accounts.models import Membership

    Membership.objects.filter(user=bob).exclude(team=team).delete()
    assert browser(bob).get("/sandboxes/new/").status_code == 403
    assert browser(bob).post("/sandboxes/new/", FORM).status_code == 403


def test_with_several_teams_one_is_chosen(browser, alice, team):
    from sandboxes.models import Sandbox

    browser(alice).post("/sandboxes/new/", {**FORM, "team": str(team.pk)})
    assert Sandbox.objects.get().team == team


def test_a_foreign_team_cannot_be_chosen(browser, mallory, team):
    from sandboxes.models import Sandbox

    browser(mallory).post("/sandboxes/new/", {**FORM, "team": str(team.pk)})
    assert not Sandbox.objects.filter(team=team).exists()
