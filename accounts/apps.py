from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, teams, tokens, audit."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
