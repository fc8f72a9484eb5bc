"""The pages: a lookup, an action, an answer. Every form works without JavaScript too."""

from .commands import (
    command_cancel,
    command_input,
    command_output,
    command_page,
    command_rerun,
    history,
)
from .dashboard import dashboard
from .new import sandbox_new
from .sandboxes import (
    sandbox_delete,
    sandbox_list,
    sandbox_page,
    sandbox_run,
    sandbox_start,
    sandbox_stop,
)

__all__ = [
    "command_cancel",
    "command_input",
    "command_output",
    "command_page",
    "command_rerun",
    "dashboard",
    "history",
    "sandbox_delete",
    "sandbox_list",
    "sandbox_new",
    "sandbox_page",
    "sandbox_run",
    "sandbox_start",
    "sandbox_stop",
]
