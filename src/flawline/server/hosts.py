"""Refuse requests for other names than the server's own: a page elsewhere could point its name at this address."""

from __future__ import annotations

from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from flawline.server.errors import ServerError, error_response


class OwnHosts:
    """Middleware that lets requests for `hosts` through; None for any."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] | None) -> None:
        self._app = app
        self._hosts = None if hosts is None else {host.casefold() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 421."""
        if scope["type"] == "http" and self._hosts is not None:
            asked = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
            name = asked.rpartition(":")[0] if _has_port(asked) else asked
            if name.strip("[]").casefold() not in self._hosts:
                error = ServerError(
                    f"this server does not answer for {name[:80]!r}",
                    hint="start the server so that it allows this name too",
                    code="host",
                )
                await error_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _has_port(text: str) -> bool:
    before, colon, after = text.rpartition(":")
    return bool(colon) and after.isdigit() and (":" not in before or before.endswith("]"))
