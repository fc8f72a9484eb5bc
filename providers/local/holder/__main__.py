"""Entry point: ``python -I -S -c "... holder.__main__.main(...)"``.

The starter writes the boot document to a pipe and closes it once everything outside is ready
(limits, network). A starter that died half-way leaves an incomplete document: then we go too.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from . import system
from .lifecycle import Holder


def read_boot(fd: int) -> dict[str, Any]:
    """Everything the starter has to say, or ``ValueError`` if it died before it was done."""
    parts = []
    while part := os.read(fd, 65536):
        parts.append(part)
    os.close(fd)
    boot = json.loads(b"".join(parts))
    if not isinstance(boot, dict):
        raise ValueError("the boot document is not an object")
    return boot


def drop_privileges(uid: int | None, gid: int | None) -> None:
    """Become the sandbox's own user, without any capability."""
    if uid is not None and gid is not None and os.getuid() != uid:
        system.drop_bounding_set()
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
        system.drop_capabilities()


def main(boot_fd: int, ready_fd: int) -> None:
    """Run the holder until it is told to stop.

    The starter gets a byte when the namespaces are complete, and another when requests are
    answered.
    """
    # As pid 1 we are immune to signals from inside the sandbox only where no handler is set,
    # and Python sets one for SIGINT.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    system.open_oom_score()
    system.set_undumpable()
    os.set_inheritable(ready_fd, False)
    os.write(ready_fd, b"n")
    try:
        boot = read_boot(boot_fd)
    except ValueError:
        sys.exit(3)
    drop_privileges(boot.get("uid"), boot.get("gid"))
    # Changing the uid resets the flag; without it the sandbox's processes could read our fds.
    system.set_undumpable()
    holder = Holder(boot)
    # A starter that died by now has done its part: the sandbox is complete.
    with suppress(BrokenPipeError):
        os.write(ready_fd, b"a")
    os.close(ready_fd)
    holder.run()
