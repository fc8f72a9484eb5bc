"""``?wait=``: the answer comes as soon as the row has come to rest."""

from __future__ import annotations

import asyncio
import time

import pytest
from django.test import AsyncClient

from gcportal.aio import run_db
from sandboxes.models import Command, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def timed(token_for, alice):
    """``await timed(path)``: the answer's JSON and how long it took."""
    headers = {"Authorization": f"Bearer {token_for(alice)}"}

    async def get(path):
        began = time.monotonic()
        answer = await AsyncClient().get(f"/api/v1{path}", headers=headers)
        return answer.json(), time.monotonic() - began

    return get


async def test_a_row_at_rest_answers_at_once(timed, make_sandbox, make_command):
    for path in (
        f"/sandboxes/{(await run_db(make_sandbox)).pk}",
        f"/commands/{(await run_db(make_command)).pk}",
    ):
        _, seconds = await timed(f"{path}?wait=60")
        assert seconds < 1


async def test_the_wait_ends(timed, make_sandbox, make_command):
    sandbox = await run_db(make_sandbox, state="creating")
    shown, seconds = await timed(f"/sandboxes/{sandbox.pk}?wait=1")
    assert shown["state"] == "creating"
    assert 0.9 < seconds < 2


async def test_a_change_is_seen_even_without_hints(timed, make_sandbox, make_command):
    sandbox = await run_db(make_sandbox, state="creating")
    command = await run_db(make_command, state="running")
    waiting = asyncio.gather(
        timed(f"/sandboxes/{sandbox.pk}?wait=20"), timed(f"/commands/{command.pk}?wait=20")
    )
    await asyncio.sleep(0.3)
    await run_db(Sandbox.objects.filter(pk=sandbox.pk).update, state="running")
    await run_db(Command.objects.filter(pk=command.pk).update, state="lost")
    (box, box_seconds), (line, line_seconds) = await waiting
    assert (box["state"], line["state"]) == ("running", "lost")
    assert max(box_seconds, line_seconds) < 4


async def test_who_loses_the_right_while_waiting_gets_nothing(timed, make_sandbox, alice, team):
    sandbox = await run_db(make_sandbox, state="creating")
    waiting = asyncio.create_task(timed(f"/sandboxes/{sandbox.pk}?wait=20"))
    await asyncio.sleep(0.3)
    await run_db(team.memberships.filter(user=alice).delete)
    shown, _ = await waiting
    assert shown["code"] == "sandbox_not_found"


@pytest.mark.parametrize("wait", ["-1", "61", "x", "1.5"])
async def test_wrong_waits_are_named(timed, make_sandbox, wait):
    sandbox = await run_db(make_sandbox)
    shown, _ = await timed(f"/sandboxes/{sandbox.pk}?wait={wait}")
    assert (shown["code"], list(shown["fields"])) == ("invalid_input", ["wait"])
