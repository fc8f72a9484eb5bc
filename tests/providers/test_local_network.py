"""Network: off by default; switched on it reaches others, but never this host."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from providers.contract import ConfigurationError
from providers.local import network

from .helpers import needs_root, run

pytestmark = [
    pytest.mark.skipif(bool(network.missing()), reason=network.missing() or "network tools"),
]

CONNECT = "timeout 5 bash -c 'cat < /dev/tcp/{}/{}' 2>&1"
OTHER_HOST = "203.0.113.7"


def sh(command: str) -> None:
    subprocess.run(command, shell=True, check=True, capture_output=True)


@contextmanager
def other_machine() -> Iterator[str]:
    """A host behind a router: a network namespace with a TCP and a DNS-like UDP service."""
    name = f"gcp{os.getpid() % 100000}"
    server = (
        "import socket,threading\n"
        "u=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); u.bind(('0.0.0.0',53))\n"
        "t=socket.create_server(('0.0.0.0',8080)); print('ready',flush=True)\n"
        "def dns():\n"
        "  while True:\n"
        "    d,a=u.recvfrom(512); u.sendto(b'answer:'+d,a)\n"
        "threading.Thread(target=dns,daemon=True).start()\n"
        "while True:\n"
        "  c,_=t.accept(); c.sendall(b'hello from outside\\n'); c.close()\n"
    )
    with ExitStack() as stack:
        sh(f"ip netns add {name}")
        stack.callback(sh, f"ip netns delete {name}")
        sh(f"ip link add {name}a type veth peer name {name}b netns {name}")
        sh(f"ip address add 198.51.100.1/30 dev {name}a && ip link set {name}a up")
        sh(
            f"ip netns exec {name} sh -c 'ip link set lo up; ip link set {name}b up; "
            f"ip address add 198.51.100.2/30 dev {name}b; ip address add {OTHER_HOST}/32 dev lo; "
            f"ip route add default via 198.51.100.1'"
        )
        sh(f"ip route add {OTHER_HOST}/32 via 198.51.100.2")
        process = subprocess.Popen(
            ["ip", "netns", "exec", name, "/usr/bin/env", "python3", "-c", server],
            stdout=subprocess.PIPE,
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        assert process.stdout.readline() == b"ready\n"
        yield OTHER_HOST


def own_addresses() -> list[str]:
    """This host's addresses, every interface."""
    answer = subprocess.run(["ip", "-4", "-o", "address"], capture_output=True, text=True)
    return [line.split()[3].split("/")[0] for line in answer.stdout.splitlines()]


async def test_off_means_loopback_only(sandbox):
    assert (await run(sandbox, "ls /sys/class/net 2>/dev/null; cat /proc/net/dev | wc -l")).out
    result = await run(sandbox, "tail -n +3 /proc/net/dev | cut -d: -f1; cat /proc/net/route")
    assert result.out.split()[0] == b"lo"
    assert b"tap0" not in result.out
    assert len(result.out.splitlines()) <= 2
    unreachable = await run(sandbox, CONNECT.format(OTHER_HOST, 80))
    assert unreachable.exit.exit_code != 0


@needs_root
async def test_on_reaches_others_but_never_this_host(create):
    with other_machine() as outside:
        sandbox = await create(network=True)
        reached = await run(sandbox, CONNECT.format(outside, 8080))
        assert reached.out == b"hello from outside\n"

        served = []
        server = await asyncio.start_server(
            lambda reader, writer: (served.append(1), writer.close()), "0.0.0.0", 0
        )
        port = server.sockets[0].getsockname()[1]
        # It does listen on all of them: a positive control from this side.
        for address in own_addresses():
            _, writer = await asyncio.open_connection(address, port)
            writer.close()
        await asyncio.sleep(0)
        targets = [*own_addresses(), "127.0.0.53", "10.0.2.2", "10.0.2.3", "169.254.169.254"]
        targets += ["0.0.0.0", "198.51.100.2", "10.0.2.4", "192.168.0.1", "172.17.0.1"]
        async with asyncio.timeout(5):
            while len(served) < len(own_addresses()):
                await asyncio.sleep(0.01)
        served.clear()
        for target in targets:
            result = await run(sandbox, CONNECT.format(target, port))
            assert result.exit.exit_code not in (0, 124), (target, result.out)
        assert served == []
        server.close()


@needs_root
async def test_the_sandbox_cannot_change_its_rules(create):
    sandbox = await create(network=True)
    result = await run(
        sandbox,
        "ip rule del pref 200 2>&1; ip link set tap0 down 2>&1; ip route add 1.2.3.4 dev tap0 2>&1;"
        " unshare -Ur ip rule del pref 200 2>&1; ip rule | grep -c prohibit",
    )
    assert result.out.count(b"not permitted") >= 3
    assert int(result.out.split()[-1]) >= len(network.FORBIDDEN)


@needs_root
async def test_name_resolution_goes_to_the_hosts_resolver_only_on_port_53(create):
    sandbox = await create(network=True)
    assert (await run(sandbox, "cat /etc/resolv.conf")).out == b"nameserver 10.0.2.3\n"
    allowed = await run(sandbox, "exec 3<>/dev/udp/10.0.2.3/53 && printf q >&3")
    assert allowed.exit.exit_code == 0, allowed.err
    for port in (22, 80, 8000, 5353):
        refused = await run(sandbox, f"exec 3<>/dev/udp/10.0.2.3/{port} && printf q >&3")
        assert refused.exit.exit_code != 0


@needs_root
async def test_slirp_ends_with_the_sandbox(create):
    sandbox = await create(network=True)
    (slirp,) = sandbox._state.read("holder.json")["helpers"]
    assert b"slirp4netns" in Path(f"/proc/{slirp}/cmdline").read_bytes()
    os.kill(sandbox._state.read("holder.json")["pid"], signal.SIGKILL)
    async with asyncio.timeout(5):
        while running(slirp):
            await asyncio.sleep(0.02)


def running(pid: int) -> bool:
    """Whether a process still does anything."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


async def test_without_the_tools_it_is_refused_with_the_remedy(create, monkeypatch):
    monkeypatch.setattr(network, "TOOL_PATH", "/nowhere")
    with pytest.raises(ConfigurationError, match="install the package slirp4netns"):
        await create(network=True)
