"""What the API says of providers."""

from __future__ import annotations

import pytest

from providers.models import ProviderHealth

pytestmark = pytest.mark.django_db


def test_capabilities_schema_and_health(api, bob):
    facts = {"isolation": "bubblewrap", "limits": {"memory": "cgroup v2"}}
    ProviderHealth.objects.create(
        provider="local", host="one", ok=True, code="ok", summary="Ready", facts=facts
    )
    (local, *_) = api(bob).get("/providers").json()["items"]
    assert local["name"] == "local"
    assert local["capabilities"]["stdin"] == {"supported": True, "reason": ""}
    assert not local["capabilities"]["snapshots"]["supported"]
    assert local["capabilities"]["snapshots"]["reason"]
    assert "memory_mb" in local["config_schema"]["properties"]
    (report,) = local["health"]
    assert (report["host"], report["ok"], report["facts"]) == ("one", True, facts)
