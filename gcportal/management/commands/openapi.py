"""``manage.py openapi``: write the API's description to docs/openapi.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from gcportal.api import api
from gcportal.environment import BASE_DIR

SNAPSHOT = Path(BASE_DIR) / "docs" / "openapi.json"


def description() -> str:
    """The OpenAPI document as it is kept in the tree."""
    return json.dumps(api.get_openapi_schema(), indent=1, sort_keys=True) + "\n"


class Command(BaseCommand):
    help = "Write the API's OpenAPI document to docs/openapi.json."

    def handle(self, *args: Any, **options: Any) -> None:
        SNAPSHOT.write_text(description())
        self.stdout.write("docs/openapi.json is written.")
