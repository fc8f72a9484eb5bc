"""A command that says something and then nothing for long."""

from __future__ import annotations

from tests.support.client import Socket
from tests.support.portal import wait_until


def test_its_output_is_stored_while_it_is_quiet(owner, sandbox):
    command = owner.run(sandbox, "echo early; sleep 30")
    wait_until(lambda: owner.output(command) == b"early\n", 5, "the line is in the history")
    owner.ok("POST", f"/commands/{command['id']}/cancel")
    assert owner.wait(command)["state"] == "cancelled"


async def test_who_comes_late_sees_it(portal, owner, sandbox):
    command = owner.run(sandbox, "echo early; sleep 30")["id"]
    async with Socket(portal.url, owner.token) as socket:
        await socket.say("follow", command=command, stdout=0, stderr=0)
        while not socket.output[command, "stdout"]:
            await socket.next(5)
        await socket.say("cancel", command=command)
        end = await socket.until("end", command=command)
        assert end["state"] == "cancelled"
        assert bytes(socket.output[command, "stdout"]) == b"early\n"
