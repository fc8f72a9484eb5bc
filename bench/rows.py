"""A million commands in a portal's database; runs inside ``manage.py shell``.

One row is made the proper way; the others are copies of it, made by the database itself, with
their own id, time, person, sandbox, state and command line.
"""

from __future__ import annotations

import json
from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection
from django.utils import timezone

from accounts.access import default_team
from accounts.actions import create_user
from accounts.models import Team, User
from sandboxes import history
from sandboxes.models import Command, Sandbox

PEOPLE, SANDBOXES = 6, 200
DEPTHS = (1_000, 500_000, 999_000)
# in a thousand about 970 exited, 20 failed, 9 cancelled, 1 lost
STATE = (
    "CASE WHEN i % 997 = 7 THEN 'lost' WHEN i % 1000 < 10 THEN 'cancelled'"
    " WHEN i % 1000 < 30 THEN 'failed' ELSE 'exited' END"
)
# the last person of the list ran one command in ten thousand
PERSON = f"CASE WHEN i % 10000 = 5 THEN {PEOPLE - 1} ELSE i % {PEOPLE - 1} END"
SQLITE = {
    "series": "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {count})",
    "from": "s",
    "id": "printf('%012x', {first} + i * 1000) || '7' || printf('%03x', i % 4096) || '8'"
    " || printf('%015x', abs(random()) >> 4)",
    "line": "'make step ' || i || CASE WHEN i % 500000 = 77 THEN ' needle' ELSE '' END",
}
POSTGRESQL = {
    "series": "",
    "from": "generate_series(1, {count}) AS s(i)",
    "id": "(lpad(to_hex({first} + i * 1000), 12, '0') || '7' || lpad(to_hex(i % 4096), 3, '0')"
    " || '8' || substr(md5(random()::text), 1, 15))::uuid",
    "line": "'make step ' || i || CASE WHEN i % 500000 = 77 THEN ' needle' ELSE '' END",
}


def fill(email: str, count: int) -> None:
    """Fill, then print what a reader needs: ids, cursors, a session."""
    user = User.objects.get(email=email)
    team = default_team(user)
    people = [
        user,
        *(create_user(f"p{n}@example.org", "correct-horse-9") for n in range(1, PEOPLE)),
    ]
    gone = {"provider": "local", "ttl_seconds": 60, "state": "deleted"}
    boxes = [
        Sandbox.objects.create(team=team, owner=user, name=f"box {number}", **gone)
        for number in range(SANDBOXES)
    ]
    _copies(people, boxes, count, team)
    _copies(people, boxes, count // 20, default_team(people[1]))
    if connection.vendor == "postgresql":  # as autovacuum does; nobody does it on SQLite
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    found = Command.objects.filter(team=team).order_by("-pk")
    cursors = {
        depth: history._encode(False, found.values_list("pk", flat=True)[depth])
        for depth in DEPTHS
        if depth < count
    }
    facts = {
        "count": found.count(),
        "person": str(people[1].pk),
        "rare_person": str(people[-1].pk),
        "sandbox": str(boxes[3].pk),
        "cursors": cursors,
        "session": _session(user),
    }
    print("facts", json.dumps(facts))


def _copies(people: list[User], boxes: list[Sandbox], count: int, team: Team) -> None:
    now = timezone.now()
    ended = {"state": "exited", "exit_code": 0, "started_at": now, "ended_at": now}
    made = Command.objects.create(
        team=team, sandbox=boxes[0], user=people[0], command="make step 0", output_limit=1, **ended
    )
    sql = SQLITE if connection.vendor == "sqlite" else POSTGRESQL
    first = int((made.created_at.timestamp() - count - 3600) * 1000)
    own = {
        "id": sql["id"].format(first=first),
        "user_id": _choice([person.pk for person in people], PERSON),
        "sandbox_id": _choice([box.pk for box in boxes], f"(i / 7) % {SANDBOXES}"),
        "state": STATE,
        "command": sql["line"],
    }
    columns = [field.column for field in Command._meta.concrete_fields]
    values = ", ".join(own.get(column, f"t.{column}") for column in columns)
    table = Command._meta.db_table
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) {sql['series'].format(count=count)}"
            f" SELECT {values} FROM {table} AS t, {sql['from'].format(count=count)}"
            f" WHERE t.id = {_literal(made.pk)} ORDER BY i"
        )


def _literal(key: object) -> str:
    return f"'{getattr(key, 'hex', key)}'" if hasattr(key, "hex") else str(key)


def _choice(keys: list, index: str) -> str:
    suffix = "::uuid" if connection.vendor == "postgresql" and hasattr(keys[0], "hex") else ""
    whens = " ".join(f"WHEN {n} THEN {_literal(key)}{suffix}" for n, key in enumerate(keys))
    return f"CASE {index} {whens} END"


def _session(user: User) -> str:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session.session_key
