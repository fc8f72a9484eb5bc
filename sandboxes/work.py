"""Names of the tasks that actions hand to workers."""

SETTLE_SANDBOX = "sandboxes.tasks.settle_sandbox"
START_COMMAND = "sandboxes.tasks.start_command"
CANCEL_COMMAND = "sandboxes.tasks.cancel_command"
DELIVER_INPUT = "sandboxes.tasks.deliver_input"
