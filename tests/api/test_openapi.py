"""The API's description is kept in the tree: a change of the API is a visible difference."""

from __future__ import annotations

import pytest

from gcportal.management.commands.openapi import SNAPSHOT, description


def test_the_snapshot_is_up_to_date():
    if SNAPSHOT.read_text() != description():
        pytest.fail(
            "The API changed. Run `python manage.py openapi`, and look at the difference of "
            "docs/openapi.json before you commit it."
        )
