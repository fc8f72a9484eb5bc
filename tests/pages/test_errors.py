"""Error pages, for people signed in and out."""

from __future__ import annotations

from django.test import Client


def test_an_unknown_address(browser, alice):
    response = browser(alice).get("/nothing-here/")
    assert response.status_code == 404
    assert "Skip to content" in response.text
    assert "To the dashboard" in response.text


def test_an_unknown_address_when_signed_out(browser, db):
    response = browser(None).get("/nothing-here/")
    assert response.status_code == 404
    assert "Sign in" in response.text
    assert 'aria-label="Main"' not in response.text


def test_a_form_without_its_token(alice, make_sandbox):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    response = client.post(f"/sandboxes/{make_sandbox().pk}/stop/")
    assert response.status_code == 403
    assert "This form is too old" in response.text
