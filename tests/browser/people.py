"""Who uses the portal in these tests.

``olivia`` owns the Blue team and makes what others look at; ``victor`` is a viewer in it, ``sam``
a stranger. ``newton`` and ``nora`` have just been given accounts;
``kim`` works alone. ``root`` is the site's administrator.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.support.portal import Portal

PEOPLE = ("olivia", "victor", "sam", "newton", "nora", "kim", "root")
PASSWORD = "correct-horse-9"
MAKE = f"""
import json
from accounts.actions import add_member, create_token, create_user
from accounts.models import Team
users = {{n: create_user(n + "@example.org", {PASSWORD!r}, admin=n == "root") for n in {PEOPLE!r}}}
team = Team.objects.create(name="Blue team")
add_member(team, users["olivia"], "owner")
add_member(team, users["victor"], "viewer")
tokens = {{name: create_token(user)[1] for name, user in users.items()}}
print(json.dumps({{"tokens": tokens, "team": str(team.pk)}}))
"""


@dataclass(frozen=True)
class Person:
    """Somebody with an account; ``team`` is the Blue team's id."""

    name: str
    token: str
    team: str

    @property
    def email(self) -> str:
        return f"{self.name}@example.org"


def make_people(portal: Portal) -> dict[str, Person]:
    """All of ``PEOPLE``."""
    made = json.loads(portal.manage("shell", "--verbosity", "0", "-c", MAKE).splitlines()[-1])
    return {name: Person(name, token, made["team"]) for name, token in made["tokens"].items()}


def sign_in(page: Page, person: Person) -> None:
    """Through the page, as a person does."""
    page.goto("/")
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
