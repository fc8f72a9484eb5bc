"""Stored output: raw bytes from an offset, in one piece."""

from __future__ import annotations

import pytest

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
]


@pytest.fixture
def read(api, alice):
    """``read(command, offset=3)``: the answer with its bytes in ``body``."""
    client = api(alice)

    def get(command, **query):
        answer = client.get(f"/commands/{command.pk}/output", **query)
        answer.body = b"".join(answer)
        return answer

    return get


def headers(answer):
    names = ("X-Offset", "X-Next-Offset", "X-Total-Bytes", "X-Complete", "X-Gap")
    return tuple(answer.get(name) for name in names)


def test_bytes_come_as_they_are(read, make_command):
    data = bytes(range(256)) * 3
    command = make_command(stdout=data, stderr=b"\xff\0")
    answer = read(command)
    assert answer.body == data
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Length"] == "768"
    assert answer["Content-Disposition"].startswith("attachment")
    assert headers(answer) == ("0", "768", "768", "true", None)
    assert read(command, stream="stderr").body == b"\xff\0"
    assert read(command, offset=700).body == data[700:]


def test_a_limit_and_going_on(read, make_command):
    command = make_command(stdout={0: b"abcd", 4: b"efgh"})
    answer = read(command, offset=2, limit=4)
    assert answer.body == b"cdef"
    assert headers(answer) == ("2", "6", "8", "false", None)
    rest = read(command, offset=6, limit=100)
    assert (rest.body, headers(rest)) == (b"gh", ("6", "8", "8", "true", None))


def test_dropped_bytes_are_named(read, make_command):
    command = make_command(stdout={0: b"head", 100: b"tail"})
    first = read(command)
    assert (first.body, headers(first)) == (b"head", ("0", "4", "104", "false", None))
    for offset in (4, 50, 99):
        second = read(command, offset=offset)
        assert second.body == b"tail"
        assert headers(second) == ("100", "104", "104", "true", "4-100")
    inside = read(command, offset=101)
    assert (inside.body, inside.get("X-Gap")) == (b"ail", None)


def test_beyond_the_end_is_nothing(read, make_command):
    command = make_command(stdout=b"abc")
    answer = read(command, offset=1000)
    assert (answer.status_code, answer.body) == (200, b"")
    assert headers(answer) == ("1000", "1000", "3", "true", None)


def test_what_is_not_stored_yet_may_follow(read, make_command):
    command = make_command(state="running", stdout=b"abc", stdout_bytes=10)
    answer = read(command)
    assert (answer.body, headers(answer)) == (b"abc", ("0", "3", "10", "false", None))


@pytest.mark.parametrize(
    "query", [{"offset": -1}, {"offset": "x"}, {"stream": "log"}, {"limit": 0}]
)
def test_wrong_questions_are_named(read, make_command, query):
    answer = read(make_command(), **query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


def test_who_reads_it(api, bob, mallory, make_command):
    path = f"/commands/{make_command(stdout=b'x').pk}/output"
    assert b"".join(api(bob).get(path)) == b"x"
    answer = api(mallory).get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "command_not_found")
