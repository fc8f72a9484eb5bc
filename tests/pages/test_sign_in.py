"""Signing in and out, and what a signed-out person meets."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.conftest import PASSWORD

PAGES = ["/", "/sandboxes/", "/sandboxes/new/", "/history/"]


@pytest.mark.parametrize("path", PAGES)
def test_a_signed_out_person_is_sent_to_the_login(browser, db, path):
    response = browser(None).get(path)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


def test_login_brings_to_the_dashboard(browser, alice):
    response = browser(None).post(
        reverse("account_login"), {"login": "alice@example.com", "password": PASSWORD}, follow=True
    )
    assert response.redirect_chain[-1][0] == "/"
    assert "Your first command in a minute" in response.text


def test_a_wrong_password_says_so(browser, alice):
    response = browser(None).post(
        reverse("account_login"), {"login": "alice@example.com", "password": "wrong"}
    )
    assert response.status_code == 200
    assert "not correct" in response.text


@pytest.mark.parametrize(
    "name", ["account_login", "account_reset_password", "account_reset_password_done"]
)
def test_signed_out_account_pages_wear_the_portals_look(browser, db, name):
    response = browser(None).get(reverse(name))
    assert response.status_code == 200
    assert 'class="card sheet"' in response.text


@pytest.mark.parametrize("name", ["account_change_password", "account_logout", "account_email"])
def test_signed_in_account_pages_wear_the_portals_look(browser, alice, name):
    response = browser(alice).get(reverse(name))
    assert response.status_code == 200
    assert 'class="card sheet"' in response.text


def test_sign_up_is_closed_unless_allowed(browser, db, settings):
    settings.ALLOW_SIGN_UP = False
    assert "Sign-up is closed" in browser(None).get(reverse("account_signup")).text
    assert "Create an account" not in browser(None).get(reverse("account_login")).text


def test_sign_up_gives_a_personal_team(browser, db, settings):
    from accounts.models import Team, User

    settings.ALLOW_SIGN_UP = True
    form = {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD}
    response = browser(None).post(reverse("account_signup"), form)
    assert response.status_code == 302
    user = User.objects.get(email="new@example.com")
    assert Team.objects.filter(personal=True, memberships__user=user).count() == 1


def test_the_chosen_theme_is_rendered_by_the_server(browser, alice):
    client = browser(alice)
    assert "data-theme" not in client.get("/").text.split("<head>")[0]
    client.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in client.get("/").text
    client.cookies["theme"] = '"><script>'
    assert "<script>" not in client.get("/").text.split("<head>")[0]
