"""The one encrypted column type."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import InvalidToken
from django.core.exceptions import ImproperlyConfigured
from encrypted_model_fields.fields import EncryptedMixin, EncryptedTextField, decrypt_str


class SecretField(EncryptedTextField):
    """Encrypted text that decrypts only what the database returns, and says so when it can't.

    The parent's ``to_python`` also decrypts form input (so that a pasted ciphertext is read for
    the one who pastes it) and hides a wrong key by returning the ciphertext.
    """

    def to_python(self, value: Any) -> Any:
        return super(EncryptedMixin, self).to_python(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if value is None:
            return None
        try:
            return decrypt_str(value)
        except InvalidToken as error:
            raise ImproperlyConfigured(
                f"{self} can't be decrypted: FIELD_ENCRYPTION_KEY doesn't hold its key."
            ) from error
