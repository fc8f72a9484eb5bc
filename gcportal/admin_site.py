"""The stock admin under our name."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig


class PortalAdminSite(admin.AdminSite):
    """Sign-in goes through the portal's own page."""

    site_header = "Grainchain Portal administration"
    site_title = "Grainchain Portal"
    index_title = "Everything"


class PortalAdminConfig(AdminConfig):
    """Makes it the default admin site."""

    default_site = "gcportal.admin_site.PortalAdminSite"
