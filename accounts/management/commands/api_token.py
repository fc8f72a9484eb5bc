"""``manage.py api_token EMAIL``: make an API token and print it, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.actions import create_token
from accounts.models import User


class Command(BaseCommand):
    help = "Print a new API token of a user. Only its hash is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="command line", help="what it is for")
        parser.add_argument("--days", type=int, help="days until it expires; never by default")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['email']}.")
        days = options["days"]
        expires = timezone.now() + timedelta(days=days) if days is not None else None
        _, text = create_token(user, options["name"], expires)
        self.stdout.write(text)
