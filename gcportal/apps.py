from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The project itself: checks and management commands."""

    name = "gcportal"

    def ready(self) -> None:
        from . import checks  # noqa: F401
