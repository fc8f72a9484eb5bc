"""``manage.py add_user EMAIL``: make a user, with a personal team."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.actions import create_user
from gcportal.errors import PortalError


class Command(BaseCommand):
    help = "Make a user. Without --password one is generated and printed, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--password", help="the password; generated when not given")
        parser.add_argument("--admin", action="store_true", help="make a site administrator")

    def handle(self, *args: Any, **options: Any) -> None:
        password = options["password"] or secrets.token_urlsafe(12)
        try:
            user = create_user(options["email"], password, admin=options["admin"])
        except PortalError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"User {user.email} made.")
        if not options["password"]:
            self.stdout.write(f"Password: {password}")
