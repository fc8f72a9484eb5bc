"""``daphne bench.bare.web:application``."""

from .app import consumer

application = consumer()
