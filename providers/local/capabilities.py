"""What the local provider really offers. Light: the web process imports it."""

from __future__ import annotations

from providers.contract import YES, Capabilities, no

_NOT_BUILT = no("Local sandboxes don't have this yet.")

CAPABILITIES = Capabilities(
    stop_start=YES,
    durable_commands=YES,
    separate_stderr=YES,
    stdin=YES,
    signals=YES,
    network_switch=YES,
    resource_limits=YES,
    terminal=_NOT_BUILT,
    files=_NOT_BUILT,
    snapshots=_NOT_BUILT,
    pause=_NOT_BUILT,
    ports=_NOT_BUILT,
    metrics=_NOT_BUILT,
    extend=no("A local sandbox has no deadline of its own; the portal's time to live applies."),
)
