"""Refuse requests whose body is too large, before and while it comes."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flawline.server.errors import ServerError, error_response


class BodyLimit:
    """Middleware that lets bodies of at most `most` bytes through."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if not stated.isdigit() or int(stated) > self._most:
            await error_response(self._too_large())(scope, receive, send)
            return
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._most:
                raise self._too_large()
            return message

        await self._app(scope, counted, send)

    def _too_large(self) -> ServerError:
        return ServerError(
            f"expected at most {self._most // 1024**2} MiB, got more",
            hint="send fewer pictures at once",
            code="too-large",
        )
