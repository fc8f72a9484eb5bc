"""The process that owns one sandbox: init of its pid namespace, parent of all its commands.

Runs inside the sandbox with the host's Python as ``python -I -S``: standard library only, and
nothing of the portal. The worker starts it (``providers.local.launch``) and talks to it over a
unix socket that the sandbox's own processes can't see. It outlives every portal process.
"""
