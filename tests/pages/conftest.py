"""A browser without JavaScript for each person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client


@pytest.fixture
def browser() -> Callable[[Any], Client]:
    """``browser(alice).get("/")``: signed in; ``browser(None)`` is not."""

    def make(user: Any) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user)
        return client

    return make


@pytest.fixture
def healthy(db: None) -> Any:
    """A living worker that reports the local provider as well."""
    from providers.models import ProviderHealth, Worker

    Worker.objects.create(host="host-a", pid=1, queues="ops,streams")
    return ProviderHealth.objects.create(
        provider="local", host="host-a", ok=True, code="ok", summary="Isolated by bubblewrap."
    )


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is handed to a worker, and nobody is told."""
    for module in ("sandbox", "command"):
        for name in ("enqueue", "changed"):
            monkeypatch.setattr(f"sandboxes.actions.{module}.{name}", lambda *a, **k: None)
