"""``manage.py prepare``: what must be done before the portal's processes start.

Safe to run again and again, also while another one runs it.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.actions import create_user
from accounts.models import User
from gcportal.environment import env
from gcportal.errors import PortalError

DEFAULT_ADMIN = "admin@localhost"
STEPS = ("database", "assets")


class Command(BaseCommand):
    help = "Check the settings, migrate, make the first administrator, collect the assets."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("steps", nargs="*", choices=[*STEPS, []], help="all when none is named")

    def handle(self, *args: Any, **options: Any) -> None:
        self.check_settings()
        steps = options["steps"] or STEPS
        if "database" in steps:
            call_command("migrate", verbosity=0, interactive=False)
            self.ensure_admin()
        if "assets" in steps and not settings.DEBUG:
            call_command("collectstatic", verbosity=0, interactive=False, clear=True)

    def check_settings(self) -> None:
        """One line for each problem; an error ends the command."""
        problems = checks.run_checks()
        for problem in problems:
            hint = f" {problem.hint}" if problem.hint else ""
            self.stdout.write(f"{problem.id}: {problem.msg}{hint}".replace("\n", " "))
        errors = [problem for problem in problems if problem.is_serious()]
        if errors:
            raise CommandError(f"the settings have errors: {errors[0].msg}")

    def ensure_admin(self) -> None:
        """Make the first administrator when there is no user at all."""
        if User.objects.exists():
            return
        email = env("GCPORTAL_ADMIN_EMAIL") or DEFAULT_ADMIN
        given = env("GCPORTAL_ADMIN_PASSWORD")
        password = given or secrets.token_urlsafe(12)
        try:
            create_user(email, password, admin=True)
        except PortalError as error:
            if User.objects.exists():
                return  # another process was quicker
            raise CommandError(
                f"the first administrator can't be made from GCPORTAL_ADMIN_EMAIL and "
                f"GCPORTAL_ADMIN_PASSWORD: {error.message}"
            ) from error
        self.stdout.write(f"First administrator: {email}")
        if not given:
            self.stdout.write(f"Its password, shown this once: {password}")
