"""Sandbox, its timeline, Command, the command's output and input."""

from .command import Command, CommandInput, OutputChunk
from .sandbox import Sandbox, SandboxEvent

__all__ = ["Command", "CommandInput", "OutputChunk", "Sandbox", "SandboxEvent"]
