"""All addresses of the portal."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from . import views
from .api import api

urlpatterns = [
    path("favicon.ico", views.favicon, name="favicon"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("api/v1/", api.urls),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("sandboxes.urls")),
]
handler400 = "gcportal.views.bad_request"
handler403 = "gcportal.views.forbidden"
handler404 = "gcportal.views.not_found"
handler500 = "gcportal.views.server_error"
