"""Keys an embedded installation makes for itself on first start: files of mode 0600."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet


def read_or_create(path: Path, make: str) -> str:
    """The key in ``path``; created once, readable by its owner only.

    Args:
        path: the key file.
        make: ``"secret"`` for a random text, ``"fernet"`` for an encryption key.
    """
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    value = secrets.token_urlsafe(48) if make == "secret" else Fernet.generate_key().decode()
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(value + "\n")
    try:
        os.link(fresh, path)  # the first process wins; all others read what it wrote
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text().strip()
