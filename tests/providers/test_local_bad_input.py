"""Wrong requests: a typed error with a stable code, and nothing started."""

from __future__ import annotations

import json
import socket
from uuid import uuid4

import pytest

from providers.contract import (
    ConfigurationError,
    RunRefused,
    SandboxConfig,
    SandboxStatus,
)

from .helpers import run, spec


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"command": ""}, "command_invalid"),
        ({"command": "  \n"}, "command_invalid"),
        ({"command": "echo \0"}, "command_invalid"),
        ({"command": "echo \ud800"}, "command_invalid"),
        ({"command": "x" * 3_000_000}, "command_invalid"),
        ({"working_dir": "/nowhere"}, "working_dir_missing"),
        ({"working_dir": "/etc/passwd"}, "working_dir_missing"),
        ({"working_dir": "/proc/1/fd"}, "working_dir_missing"),
        ({"working_dir": "a\0b"}, "working_dir_missing"),
        ({"environment": {"1A": "x"}}, "environment_invalid"),
        ({"environment": {"A=B": "x"}}, "environment_invalid"),
        ({"environment": {"": "x"}}, "environment_invalid"),
        ({"environment": {"A": "x\0"}}, "environment_invalid"),
        ({"environment": {"A": 1}}, "environment_invalid"),
        ({"environment": {"A": "x" * 200_000}}, "environment_invalid"),
        ({"environment": {f"V{n}": "x" * 100_000 for n in range(40)}}, "environment_invalid"),
        ({"timeout": -1}, "request_invalid"),
        ({"timeout": 1e12}, "request_invalid"),
        ({"timeout": float("nan")}, "request_invalid"),
        ({"output_limit": -5}, "request_invalid"),
        ({"run_id": "../escape"}, "run_id_invalid"),
    ],
)
async def test_a_refused_run_leaves_nothing(sandbox, fields, code):
    with pytest.raises(RunRefused) as caught:
        await sandbox.start_run(spec(**{"command": "true", **fields}))
    assert caught.value.code == code
    assert caught.value.message
    assert list((sandbox._state.path / "runs").glob("[0-9a-f]*")) == []


async def test_a_refused_run_may_be_tried_again(sandbox):
    run_id = uuid4().hex
    with pytest.raises(RunRefused):
        await sandbox.start_run(spec("true", run_id=run_id, working_dir="later"))
    await run(sandbox, "mkdir later")
    assert (await run(sandbox, "pwd", run_id=run_id, working_dir="later")).exit.exit_code == 0


@pytest.mark.parametrize(
    "config",
    [
        {"memory_mb": "much"},
        {"memory_mb": -1},
        {"memory_mb": 10**12},
        {"processes": 0},
        {"nonsense": 1},
        {"environment": {"a b": "x"}},
        {"environment": {"A": "\0"}},
        {"network": "perhaps"},
    ],
)
async def test_a_wrong_configuration(provider, config):
    with pytest.raises(ConfigurationError) as caught:
        await provider.create_sandbox(SandboxConfig(uuid4().hex, config))
    assert next(iter(config)) in caught.value.message
    assert await provider.list_sandboxes() == []


@pytest.mark.parametrize("sandbox_id", ["", "..", "../x", "a/b", "x" * 32, "\0", "A" * 31])
async def test_a_malformed_sandbox_id(provider, sandbox_id):
    with pytest.raises(ConfigurationError):
        await provider.create_sandbox(SandboxConfig(sandbox_id))
    with pytest.raises(ConfigurationError):
        await provider.attach(sandbox_id)
    assert await provider.get_sandbox_status(sandbox_id) is SandboxStatus.GONE


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"[]\n",
        b"{\n",
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b'{"op": 5}\n',
        b'{"op": "nothing"}\n',
        b'{"op": "start", "id": 1}\n',
        b'{"op": "signal", "run_id": "0", "signal": 1e400}\n',
        b'{"op": "stdin", "run_id": {}}\n',
    ],
)
async def test_the_holder_survives_whatever_arrives(sandbox, line):
    connection = sandbox._state.connect()
    with connection:
        connection.settimeout(5)
        connection.sendall(line)
        assert json.loads(connection.recv(65536))["ok"] is False
    assert (await run(sandbox, "echo alive")).out == b"alive\n"


async def test_an_endless_line_is_cut_off(sandbox):
    with sandbox._state.connect() as connection:
        connection.settimeout(5)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            connection.sendall(b"x" * 50_000_000)
    assert (await run(sandbox, "echo alive")).out == b"alive\n"


async def test_too_many_connections(sandbox):
    connections = [sandbox._state.connect() for _ in range(120)]
    assert (await run(sandbox, "echo alive")).out == b"alive\n"
    for connection in connections:
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
