"""Network for the sandboxes that asked for it: slirp4netns, and rules on what is out of reach.

The sandbox has a network namespace of its own, which it can't administer. slirp4netns carries
its packets as an ordinary process of the host, so whatever is not ruled out here would be
reached as if from the host: its own services, the portal's, the cloud's metadata. The rules are
routing rules inside the sandbox's namespace, looked up before any route, made before anything
runs in the sandbox.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import select
import shutil
import subprocess
from contextlib import ExitStack
from typing import IO

from providers.contract import ConfigurationError

from .settings import LocalSettings

# Where slirp4netns answers DNS, handing it to the host's resolver. It would hand on any other
# port of that address as well, so only port 53 is let through.
NAMESERVER = "10.0.2.3"
FORBIDDEN = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "224.0.0.0/4",
    "240.0.0.0/4",
)
TOOLS = {"slirp4netns": "slirp4netns", "ip": "iproute2", "nsenter": "util-linux"}
TOOL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NS_GET_USERNS = 0xB701
_SECONDS = 10.0


def missing() -> str:
    """What this host lacks for sandboxes with network, with the remedy; empty if nothing."""
    for tool, package in TOOLS.items():
        if shutil.which(tool, path=TOOL_PATH) is None:
            return f"{tool} is missing: install the package {package}."
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun can't be opened: load the module tun, or pass the device in."
    return ""


def availability() -> str:
    """Whether sandboxes can have a network here, in words."""
    return missing() or "slirp4netns; private networks and this host are out of reach"


def require() -> None:
    """Raise ``ConfigurationError`` with the remedy where network can't be had."""
    if reason := missing():
        raise ConfigurationError(f"Sandboxes can't have a network on this host: {reason}")


def connect(
    pid: int, alive: IO[bytes], log: IO[bytes], settings: LocalSettings
) -> subprocess.Popen[bytes]:
    """Connect the namespace of ``pid``; slirp4netns ends when the pipe ``alive`` breaks."""
    with ExitStack() as stack:
        net = stack.enter_context(open(f"/proc/{pid}/ns/net", "rb", 0))
        user = _foreign_owner(stack, net)
        # In this order: the rules would forbid slirp4netns its own gateway while it sets up.
        # Nothing of the sandbox runs yet.
        process = _start_slirp(stack, net, user, alive, log)
        try:
            _set_rules(net, user, forbidden(settings), settings.network_allow)
        except BaseException:
            process.kill()
            process.wait(5)
            raise
        return process


def forbidden(settings: LocalSettings) -> list[str]:
    """Networks out of reach: all private ones, this host's addresses, and its direct neighbours."""
    answer = subprocess.run(
        [_tool("ip"), "-j", "-4", "address"], capture_output=True, timeout=_SECONDS, check=True
    )
    networks = {ipaddress.IPv4Network(text) for text in FORBIDDEN}
    for interface in json.loads(answer.stdout):
        for address in interface.get("addr_info", ()):
            networks.add(ipaddress.IPv4Network(address["local"]))
            own = f"{address['local']}/{address['prefixlen']}"
            networks.add(ipaddress.IPv4Network(own, strict=False))
    return sorted(map(str, networks))


def _tool(name: str) -> str:
    require()
    return str(shutil.which(name, path=TOOL_PATH))


def _foreign_owner(stack: ExitStack, net: IO[bytes]) -> IO[bytes] | None:
    """The user namespace that owns a network namespace, unless it is our own."""
    owner = stack.enter_context(os.fdopen(fcntl.ioctl(net.fileno(), _NS_GET_USERNS), "rb", 0))
    same = os.fstat(owner.fileno()).st_ino == os.stat("/proc/self/ns/user").st_ino
    return None if same else owner


def _set_rules(
    net: IO[bytes], user: IO[bytes] | None, blocked: list[str], allowed: tuple[str, ...]
) -> None:
    lines = [
        f"rule add pref 100 to {NAMESERVER} ipproto {protocol} dport 53 lookup main"
        for protocol in ("udp", "tcp")
    ]
    lines += [
        f"rule add pref 110 to {ipaddress.IPv4Network(network)} lookup main" for network in allowed
    ]
    lines += [f"rule add pref 200 to {network} prohibit" for network in blocked]
    # slirp4netns is not asked for IPv6; should a version bring it, nothing may go that way.
    for options, batch in (((), lines), (("-6",), ["rule add pref 200 to ::/0 prohibit"])):
        command = [_tool("nsenter"), *_user_option(user), f"--net=/proc/self/fd/{net.fileno()}"]
        command += [_tool("ip"), *options, "-batch", "-"]
        done = subprocess.run(
            command,
            input="\n".join(batch).encode(),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            pass_fds=[file.fileno() for file in (net, user) if file],
        )
        if done.returncode != 0 and not (options and _no_ipv6()):
            raise ConfigurationError(
                "The network rules of the sandbox could not be set.",
                detail=done.stderr.decode(errors="replace")[-500:],
            )


def _user_option(user: IO[bytes] | None) -> list[str]:
    return ["--preserve-credentials", f"--user=/proc/self/fd/{user.fileno()}"] if user else []


def _entering(user: IO[bytes] | None) -> list[str]:
    return [_tool("nsenter"), *_user_option(user)] if user else []


def _no_ipv6() -> bool:
    return not os.path.exists("/proc/net/if_inet6")


def _start_slirp(
    stack: ExitStack, net: IO[bytes], user: IO[bytes] | None, alive: IO[bytes], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    ready_read, ready_write = os.pipe2(os.O_CLOEXEC)
    ready = stack.enter_context(os.fdopen(ready_read, "rb", 0))
    writer = stack.enter_context(os.fdopen(ready_write, "wb", 0))
    # Joining the user namespace by itself, slirp4netns couldn't sandbox itself as well.
    command = [
        *_entering(user),
        _tool("slirp4netns"),
        "--configure",
        "--mtu=65520",
        "--disable-host-loopback",
    ]
    command += ["--enable-sandbox", "--enable-seccomp", "--netns-type=path"]
    command += [f"--ready-fd={writer.fileno()}", f"--exit-fd={alive.fileno()}"]
    command += [f"/proc/self/fd/{net.fileno()}", "tap0"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=log,
        env={"PATH": TOOL_PATH},
        cwd="/",
        start_new_session=True,
        pass_fds=[f.fileno() for f in (net, user, alive, writer) if f],
    )
    writer.close()
    if not select.select([ready], [], [], _SECONDS)[0] or ready.read(1) != b"1":
        process.kill()
        code = process.wait(5)
        raise ConfigurationError(
            "The sandbox's network could not be started (slirp4netns).", detail=f"code {code}"
        )
    return process
