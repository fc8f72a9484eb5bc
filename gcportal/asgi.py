"""The ASGI application: HTTP to Django, sockets to the consumers. Runs under any ASGI server."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gcportal.settings")

from django.core.asgi import get_asgi_application

http = get_asgi_application()  # sets Django up, so it comes before what uses models

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import re_path  # noqa: E402

from sandboxes.live.consumer import PortalConsumer  # noqa: E402

from .sockets import UnknownSocket, authenticated  # noqa: E402

address: Any = re_path  # its types know views only
sockets: list[Any] = [
    address(r"^ws/$", PortalConsumer.as_asgi()),
    address(r"", UnknownSocket.as_asgi()),
]
application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": authenticated(URLRouter(sockets)),
    }
)
