"""Ties the worker runtime to Celery's life cycle."""

from __future__ import annotations

from typing import Any

from celery.signals import worker_ready, worker_shutting_down

from . import runtime


@worker_ready.connect
def _ready(sender: Any, **kwargs: Any) -> None:
    runtime.start([queue.name for queue in sender.task_consumer.queues])


@worker_shutting_down.connect
def _stop(**kwargs: Any) -> None:
    runtime.stop()
