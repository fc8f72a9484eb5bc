"""Every mutation of sandboxes and commands: permission, write, audit, then hand to a worker.

Pages, API, sockets, admin, commands and tasks call these; none of them mutates on its own.
"""

from .command import cancel_command, rerun_command, run_command, send_input
from .sandbox import create_sandbox, delete_sandbox, start_sandbox, stop_sandbox

__all__ = [
    "cancel_command",
    "create_sandbox",
    "delete_sandbox",
    "rerun_command",
    "run_command",
    "send_input",
    "start_sandbox",
    "stop_sandbox",
]
