"""The one NinjaAPI."""

from __future__ import annotations

from ninja import NinjaAPI

api = NinjaAPI(title="Grainchain Portal", version="1.0")
