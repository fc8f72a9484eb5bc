from django.apps import AppConfig


class SandboxesConfig(AppConfig):
    """Sandboxes and commands: the portal's main job."""

    name = "sandboxes"
    default_auto_field = "django.db.models.BigAutoField"
