"""The one NinjaAPI: ``/api/v1``. Routers live with the apps they are about."""

from __future__ import annotations

from accounts.api import bearer
from accounts.api import router as accounts_router
from providers.api import router as providers_router
from sandboxes.api import router as sandboxes_router

from .portal_api import PortalAPI
from .reading import BodyParser

DESCRIPTION = """
Run code sandboxes from a program: create one, run commands, read their output.

Send a token with every request: `Authorization: Bearer gcp_…`. Every error is a problem document
(`application/problem+json`) with a stable `code`; docs/api.md lists them all.
"""

api = PortalAPI(
    title="Grainchain Portal",
    version="1.0",
    description=DESCRIPTION.strip(),
    urls_namespace="api",
    auth=bearer,
    parser=BodyParser(),
)
api.add_router("", accounts_router)
api.add_router("", providers_router)
api.add_router("", sandboxes_router)

__all__ = ["api"]
