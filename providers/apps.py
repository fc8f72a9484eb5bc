from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    """Kinds of vendors, the workers that talk to them, and their health."""

    name = "providers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import signals  # noqa: F401
