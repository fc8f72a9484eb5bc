"""The Celery application, and the one way by which work is handed to workers."""

from __future__ import annotations

import os
import uuid

import structlog
from celery import Celery
from django.db import transaction
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gcportal.settings")

app = Celery("gcportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

log = structlog.get_logger(__name__)
# Past this age a message is stale: the sweep has long sent another.
MESSAGE_LIFE_SECONDS = 60


def enqueue(task: str, pk: uuid.UUID, *, host: str = "") -> None:
    """Hand an object's id to a task once the transaction is committed.

    A broker that is down is no error: the row says what is to be done, and the sweep sends it
    again. Only ids travel, never secrets.

    Args:
        task: its full name; callers needn't import what workers import.
        host: the worker host that must do it (local sandboxes); any host when empty.
    """
    transaction.on_commit(lambda: send(task, pk, host=host), robust=True)


def send(task: str, pk: uuid.UUID, *, host: str = "") -> None:
    """Publish now, outside of any transaction; see ``enqueue``."""
    queue = app.amqp.router.route({}, task)["queue"].name
    try:
        app.send_task(
            task,
            args=(str(pk),),
            queue=f"{queue}.{host}" if host else queue,
            retry=False,
            expires=MESSAGE_LIFE_SECONDS,
        )
    except OperationalError as error:
        log.warning("broker_unreachable", task=task, id=str(pk), error=str(error))
