"""The local provider: sandboxes on the worker's own host, held in by bubblewrap.

``config`` and ``capabilities`` are light and for everybody; ``provider`` is for workers only.
``holder`` is the program that runs inside each sandbox.
"""
