"""API: kinds of providers, what they can do, how they are."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema

from . import registry
from .models import ProviderHealth
from .registry import ProviderInfo

router = Router(tags=["Providers"])


class FeatureOut(Schema):
    """Whether a provider has a feature."""

    supported: bool
    reason: str = Field(description="why not; empty when supported")


class HealthOut(Schema):
    """The latest report of a worker host."""

    host: str
    ok: bool
    code: str
    summary: str
    facts: dict[str, Any] = Field(description="isolation and limits in force, versions")
    since: datetime = Field(description="since when `ok` is as it is")
    checked_at: datetime


class ProviderOut(Schema):
    """One kind of provider."""

    name: str
    label: str
    missing: str = Field(description="why it can't be used here; empty when it can")
    capabilities: dict[str, FeatureOut]
    config_schema: dict[str, Any] = Field(description="JSON schema of a sandbox's `config`")
    health: list[HealthOut]


class ProviderList(Schema):
    """All kinds of providers."""

    items: list[ProviderOut]


@router.get(
    "/providers", response=ProviderList, operation_id="list_providers", summary="List providers"
)
def list_providers(request: HttpRequest) -> ProviderList:
    """Kinds of providers with capabilities, configuration schema, and health per host."""
    reports: dict[str, list[HealthOut]] = defaultdict(list)
    for row in ProviderHealth.objects.order_by("host"):
        reports[row.provider].append(HealthOut.from_orm(row))
    return ProviderList(
        items=[_provider_out(found, reports[found.name]) for found in registry.catalogue()]
    )


def _provider_out(found: ProviderInfo, health: list[HealthOut]) -> ProviderOut:
    return ProviderOut(
        name=found.name,
        label=found.label,
        missing=found.missing,
        capabilities={
            name: FeatureOut(**feature) for name, feature in found.capabilities.as_dict().items()
        },
        config_schema=found.config_model.model_json_schema(),
        health=health,
    )
