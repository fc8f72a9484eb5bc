"""The pages' addresses."""

from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("sandboxes/", views.sandbox_list, name="sandboxes"),
    path("sandboxes/new/", views.sandbox_new, name="sandbox-new"),
    path("sandboxes/<uuid:pk>/", views.sandbox_page, name="sandbox"),
    path("sandboxes/<uuid:pk>/start/", views.sandbox_start, name="sandbox-start"),
    path("sandboxes/<uuid:pk>/stop/", views.sandbox_stop, name="sandbox-stop"),
    path("sandboxes/<uuid:pk>/delete/", views.sandbox_delete, name="sandbox-delete"),
    path("sandboxes/<uuid:pk>/run/", views.sandbox_run, name="sandbox-run"),
    path("commands/<uuid:pk>/", views.command_page, name="command"),
    path("commands/<uuid:pk>/cancel/", views.command_cancel, name="command-cancel"),
    path("commands/<uuid:pk>/rerun/", views.command_rerun, name="command-rerun"),
    path("commands/<uuid:pk>/input/", views.command_input, name="command-input"),
    path("commands/<uuid:pk>/output/<str:stream>/", views.command_output, name="command-output"),
    path("history/", views.history, name="history"),
]
