"""One real portal for all tests here: web, worker, beat, Redis-compatible server, sandboxes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.client import Api
from tests.support.portal import Portal


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Started once. Tests here don't kill parts of it; tests/faults does."""
    portal = Portal(
        tmp_path_factory.mktemp("portal"), COMMAND_OUTPUT_LIMIT_BYTES=str(4 * 1024 * 1024)
    ).prepare()
    try:
        portal.start().wait_ready()
        yield portal
    finally:
        portal.stop()


@pytest.fixture(scope="session")
def owner(portal: Portal) -> Iterator[Api]:
    """A person with a personal team."""
    api = Api(portal.url, portal.add_user("owner@example.org"))
    yield api
    api.http.close()


@pytest.fixture(scope="session")
def stranger(portal: Portal) -> Iterator[Api]:
    """Another person, in no team of the owner's."""
    api = Api(portal.url, portal.add_user("stranger@example.org"))
    yield api
    api.http.close()


@pytest.fixture(scope="session")
def sandbox(owner: Api) -> dict[str, Any]:
    """A running sandbox that tests share."""
    return owner.sandbox(name="shared", config={"processes": 512})
