"""Who is at the other end of a socket, and whether its page is ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from channels.auth import get_user
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.sessions import CookieMiddleware, SessionMiddleware
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http.request import validate_host

from accounts.models import User
from accounts.tokens import user_for_token

from .aio import run_db

ASGIApp = Callable[[Any, Any, Any], Awaitable[Any]]


class UnknownSocket(AsyncWebsocketConsumer):
    """Closes a socket whose address isn't ours."""

    async def connect(self) -> None:
        await self.close(code=4404)


def authenticated(app: ASGIApp) -> ASGIApp:
    """Sockets of programs carry a bearer token; those of pages a session cookie and our origin."""
    return _Bearer(app, CookieMiddleware(SessionMiddleware(_SessionUser(app))))


class _Bearer:
    def __init__(self, app: ASGIApp, otherwise: ASGIApp) -> None:
        self._app, self._otherwise = app, otherwise

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = dict(scope["headers"])
        kind, _, token = headers.get(b"authorization", b"").decode("latin1").partition(" ")
        if kind.lower() == "bearer":
            user = await run_db(user_for_token, token.strip())
            still_valid = lambda: user_for_token(token.strip()) is not None  # noqa: E731
            scope = {**scope, "user": user or AnonymousUser(), "still_valid": still_valid}
            return await self._app(scope, receive, send)
        if not _same_origin(headers):
            return await _refuse(send)
        return await self._otherwise(scope, receive, send)


class _SessionUser:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        user: Any = await get_user(scope)
        session, pk = scope["session"], user.pk
        key = session.session_key

        def still_valid() -> bool:
            active = User.objects.filter(pk=pk, is_active=True).exists()
            return active and type(session._wrapped)().exists(key)

        scope = {**scope, "user": user, "still_valid": still_valid}
        return await self._app(scope, receive, send)


def _same_origin(headers: dict[bytes, bytes]) -> bool:
    origin = headers.get(b"origin", b"").decode("latin1")
    host = headers.get(b"host", b"").decode("latin1")
    if not validate_host(urlsplit(f"//{host}").hostname or "", settings.ALLOWED_HOSTS):
        return False
    return bool(origin) and (
        urlsplit(origin).netloc == host or origin in settings.CSRF_TRUSTED_ORIGINS
    )


async def _refuse(send: Any) -> None:
    await send({"type": "websocket.close", "code": 4403})
