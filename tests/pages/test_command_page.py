"""One command's page, its output and downloads, cancel, run again, input."""

from __future__ import annotations

import json
import uuid

import pytest
from asgiref.sync import async_to_sync


def body(response) -> bytes:
    """All bytes of a streamed answer."""

    async def gather() -> bytes:
        return b"".join([piece async for piece in response.streaming_content])

    return async_to_sync(gather)()


def test_it_says_who_when_where_and_how_it_ended(browser, bob, make_command, make_sandbox):
    command = make_command(
        sandbox=make_sandbox(name="builder"),
        command="make all",
        exit_code=2,
        working_dir="/srv",
        timeout_seconds=60,
        environment_secret=json.dumps({"TOKEN": "hunter2"}),
    )
    page = browser(bob).get(f"/commands/{command.pk}/").text
    for text in ("make all", "exit 2", "builder", "alice@example.com", "/srv", "1 minute", "TOKEN"):
        assert text in page
    assert "hunter2" not in page
    assert "<title>make all \u2013 exit 2" in page


def test_a_shared_link_gives_a_stranger_404(browser, mallory, make_command):
    command = make_command(command="make secret", stdout=b"hidden")
    for path in ("", "output/stdout/"):
        for pk in (command.pk, uuid.uuid4()):
            response = browser(mallory).get(f"/commands/{pk}/{path}")
            assert response.status_code == 404
            assert "secret" not in response.text
    for verb in ("cancel", "rerun", "input"):
        assert browser(mallory).post(f"/commands/{command.pk}/{verb}/").status_code == 404


def test_the_output_can_be_read_without_javascript(browser, alice, make_command):
    command = make_command(stdout=b"first\n<b>\xff\0", stderr=b"trouble")
    page = browser(alice).get(f"/commands/{command.pk}/").text
    assert "first\n&lt;b&gt;\ufffd␀" in page
    assert "trouble" in page


@pytest.mark.django_db(transaction=True)
def test_downloads_are_byte_exact(browser, alice, make_command):
    data = bytes(range(256)) * 3
    command = make_command(stdout={0: data, len(data): b"more"}, stderr=b"")
    response = browser(alice).get(f"/commands/{command.pk}/output/stdout/")
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Content-Type"] == "application/octet-stream"
    assert body(response) == data + b"more"
    assert body(browser(alice).get(f"/commands/{command.pk}/output/stderr/")) == b""
    assert browser(alice).get(f"/commands/{command.pk}/output/stdin/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_gap_is_said_on_page_and_download(browser, alice, make_command):
    command = make_command(stdout={0: b"head", 1004: b"tail"})
    assert "The middle was not kept." in browser(alice).get(f"/commands/{command.pk}/").text
    download = body(browser(alice).get(f"/commands/{command.pk}/output/stdout/"))
    assert download.startswith(b"head\n[")
    assert b"1000 bytes" in download
    assert download.endswith(b"]\ntail")


def test_a_long_output_begins_near_its_end(browser, alice, make_command):
    command = make_command(stdout=b"x" * (3 * 1024 * 1024))
    page = browser(alice).get(f"/commands/{command.pk}/").text
    assert f'data-stdout="{1024 * 1024}"' in page
    assert 'data-stderr="0"' in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"state": "exited", "exit_code": None, "signal": 9}, "SIGKILL"),
        ({"state": "timed_out"}, "Timed out"),
        ({"state": "lost", "reason": "The host is gone."}, "The host is gone."),
        ({"state": "failed", "reason": "No such directory."}, "No such directory."),
        ({"state": "queued"}, "Queued"),
    ],
)
def test_every_end_has_its_words(browser, alice, make_command, fields, said):
    command = make_command(**fields)
    assert said in browser(alice).get(f"/commands/{command.pk}/").text


def test_a_running_one_can_be_cancelled_by_those_who_may(browser, alice, bob, make_command):
    command = make_command(state="running")
    page = browser(bob).get(f"/commands/{command.pk}/").text
    assert 'aria-describedby="why-cancel"' in page
    assert browser(bob).post(f"/commands/{command.pk}/cancel/").status_code == 403
    assert browser(alice).post(f"/commands/{command.pk}/cancel/").status_code == 302
    command.refresh_from_db()
    assert command.state == "cancelling"
    assert browser(alice).post(f"/commands/{command.pk}/cancel/").status_code == 302


def test_run_again_makes_a_new_command(browser, alice, make_command):
    from sandboxes.models import Command

    command = make_command(command="make all", working_dir="/srv")
    response = browser(alice).post(f"/commands/{command.pk}/rerun/")
    made = Command.objects.exclude(pk=command.pk).get()
    assert response["Location"] == made.get_absolute_url()
    assert (made.command, made.working_dir) == ("make all", "/srv")


def test_run_again_is_greyed_where_the_sandbox_is_gone(browser, alice, make_command, make_sandbox):
    command = make_command(sandbox=make_sandbox(state="deleted"))
    assert 'aria-describedby="why-rerun"' in browser(alice).get(f"/commands/{command.pk}/").text
    assert browser(alice).post(f"/commands/{command.pk}/rerun/").status_code == 409


def test_input_is_fed_and_closed(browser, alice, bob, make_command):
    command = make_command(state="running")
    page = f"/commands/{command.pk}/input/"
    assert 'name="line"' in browser(alice).get(f"/commands/{command.pk}/").text
    assert browser(alice).post(page, {"line": "yes"}).status_code == 302
    command.refresh_from_db()
    assert command.stdin_bytes == 4
    assert browser(bob).post(page, {"line": "no"}).status_code == 403
    browser(alice).post(page, {"end": "1"})
    command.refresh_from_db()
    assert not command.stdin_open
    assert browser(alice).post(page, {"line": "late"}).status_code == 409


def test_fragments_for_live_pages(browser, alice, make_command):
    command = make_command(command="make all")
    for fragment in ("head", "live"):
        part = browser(alice).get(f"/commands/{command.pk}/", {"fragment": fragment})
        assert "make all" in part.text
        assert "<html" not in part.text
