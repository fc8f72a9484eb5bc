"""The stock admin under our name."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator


class PortalAdminSite(admin.AdminSite):
    """Sign-in goes through the portal's own page."""

    site_header = "Grainchain Portal administration"
    site_title = "Grainchain Portal"
    index_title = "Everything"

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """To the portal's sign-in; who is signed in without the right is told so."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        wanted = request.GET.get("next", reverse("admin:index"))
        return redirect(reverse(settings.LOGIN_URL, query={"next": wanted}))


class PortalAdminConfig(AdminConfig):
    """Makes it the default admin site."""

    default_site = "gcportal.admin_site.PortalAdminSite"
