"""Output as server-sent events."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from django.test import AsyncClient

from gcportal.aio import run_db
from sandboxes.api import events
from sandboxes.models import Command

pytestmark = pytest.mark.django_db(transaction=True)


def parsed(text: str) -> list[tuple[str, str, dict]]:
    """``(id, event, data)`` of every event."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line[1:])
        if "event" in lines:
            found.append((lines["id"], lines["event"], json.loads(lines["data"])))
    return found


@pytest.fixture
def follow(token_for, alice):
    """``await follow(command, stdout=3)``: the whole answer."""
    headers = {"Authorization": f"Bearer {token_for(alice)}"}

    async def get(command, last_event_id=None, **query):
        extra = {"Last-Event-ID": last_event_id} if last_event_id is not None else {}
        answer = await AsyncClient().get(
            f"/api/v1/commands/{command.pk}/events", query, headers=headers | extra
        )
        if answer.streaming:
            parts = [part async for part in answer.streaming_content]
            answer.events = parsed(b"".join(parts).decode())
        return answer

    return get


async def test_text_bytes_gap_and_end(follow, make_command):
    command = await run_db(make_command, stdout={0: "é\n".encode(), 9: b"\xff"}, stderr=b"e")
    answer = await follow(command)
    assert answer["Content-Type"] == "text/event-stream"
    assert answer["Cache-Control"] == "no-store"
    assert [event[:2] for event in answer.events] == [
        ("3-0", "output"),
        ("9-0", "gap"),
        ("10-0", "output"),
        ("10-1", "output"),
        ("10-1-end", "end"),
    ]
    data = [event[2] for event in answer.events]
    assert data[0] == {"stream": "stdout", "offset": 0, "text": "é\n"}
    assert data[1] == {"stream": "stdout", "start": 3, "end": 9}
    assert base64.b64decode(data[2]["base64"]) == b"\xff"
    assert (data[4]["state"], data[4]["exit_code"]) == ("exited", 0)


async def test_it_goes_on_after_the_last_event(follow, make_command):
    command = await run_db(make_command, stdout=b"abcdef", stderr=b"xyz")
    for answer in (
        await follow(command, stdout=4, stderr=3),
        await follow(command, last_event_id="4-3", stdout=0),
    ):
        assert answer.events[0][2] == {"stream": "stdout", "offset": 4, "text": "ef"}
        assert len(answer.events) == 2
    assert (await follow(command, last_event_id="6-3-end")).status_code == 204


@pytest.mark.parametrize("wrong", ["x", "1", "1-", "-1-2", "1-2-3", "1-2-end-", "9" * 30 + "-1"])
async def test_wrong_cursors_are_named(follow, make_command, wrong):
    answer = await follow(await run_db(make_command), last_event_id=wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")


async def test_a_long_output_comes_in_several_answers(follow, make_command, monkeypatch):
    monkeypatch.setattr(events, "ANSWER_BYTES", 100_000)
    whole = bytes(range(256)) * 2000
    command = await run_db(make_command, stdout=whole)
    got, last, answers = b"", None, 0
    while last is None or not last.endswith("-end"):
        answer = await follow(command, last_event_id=last)
        answers += 1
        for ident, event, data in answer.events:
            last = ident
            if event == "output":
                assert data["offset"] == len(got)
                got += base64.b64decode(data["base64"])
    assert got == whole
    assert answers > 3


async def test_a_running_command_is_followed_to_its_end(follow, make_command):
    command = await run_db(make_command, state="running", stdout=b"one")
    following = asyncio.create_task(follow(command))
    await asyncio.sleep(0.3)
    row = Command.objects.filter(pk=command.pk)
    await run_db(row.update, state="exited", exit_code=7)
    answer = await asyncio.wait_for(following, 10)
    assert [event[1] for event in answer.events] == ["output", "end"]
    assert answer.events[1][2]["exit_code"] == 7


async def test_a_client_that_leaves_ends_the_feed(make_command):
    command = await run_db(make_command, state="running", stdout=b"one")
    before = asyncio.all_tasks()
    stream = events.stream(command, {"stdout": 0, "stderr": 0})
    assert await anext(stream) == events.RETRY
    assert b"one" in await anext(stream)
    await stream.aclose()
    await asyncio.sleep(0.1)
    left = [task for task in asyncio.all_tasks() - before if "_feed" in repr(task)]
    assert not left


async def test_silence_is_kept_alive(make_command, monkeypatch):
    monkeypatch.setattr(events, "KEEP_ALIVE_SECONDS", 0.1)
    command = await run_db(make_command, state="running")
    stream = events.stream(command, {"stdout": 0, "stderr": 0})
    assert [await anext(stream), await anext(stream)] == [events.RETRY, events.KEEP_ALIVE]
    await stream.aclose()


async def test_strangers_hear_nothing(token_for, mallory, bob, make_command):
    command = await run_db(make_command, stdout=b"x")
    for person, status in ((mallory, 404), (bob, 200)):
        token = await run_db(token_for, person)
        answer = await AsyncClient().get(
            f"/api/v1/commands/{command.pk}/events", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == status
