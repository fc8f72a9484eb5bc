"""API: sandboxes, commands, their output."""

from __future__ import annotations

from ninja import Router

from .commands import router as commands_router
from .output import router as output_router
from .sandboxes import router as sandboxes_router

router = Router()
router.add_router("", sandboxes_router)
router.add_router("", commands_router)
router.add_router("", output_router)

__all__ = ["router"]
