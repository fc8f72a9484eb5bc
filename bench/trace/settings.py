"""The portal's settings, with time stamps: ``DJANGO_SETTINGS_MODULE=bench.trace.settings``."""

from gcportal.settings import *  # noqa: F403
from gcportal.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "bench.trace.apps.TraceConfig"]
