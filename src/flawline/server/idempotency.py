"""Do a request once that is sent again under one Idempotency-Key, and answer it alike."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flawline.errors import FlawlineError
from flawline.server.access import visitor_of
from flawline.server.errors import ServerError, error_response

if TYPE_CHECKING:
    from flawline.records.answers import StoredAnswer
    from flawline.server.state import ServerState

HEADER = "idempotency-key"
MOST_KEY = 200
MOST_BODY = 1 << 20
# A frame's key is recorded with it, which also holds where the server is killed in between.
_OWN = re.compile(r"/api/inspect")
# Their answers hold secrets, which are never stored.
_SECRET = re.compile(r"/api/(me/tokens|accounts.*|sign-in.*|sign-out)")


class Idempotency:
    """Middleware for POST under /api: the first answer to a key of an account is kept for a day and given again."""

    def __init__(self, app: ASGIApp, state: ServerState) -> None:
        self._app, self._answers = app, state.store.answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it as before."""
        key = _key_of(scope)
        if key is None or _OWN.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            _check(scope["path"], key)
            visitor = await asyncio.to_thread(visitor_of, Request(scope))
            if visitor is None:
                await self._app(scope, receive, send)
                return
            digest = _digest(visitor.account.name, scope, key)
            now = datetime.now(UTC)
            if await asyncio.to_thread(self._answers.begin, digest, now):
                await self._do(digest, scope, receive, send)
                return
            known = await asyncio.to_thread(self._answers.find, digest, now)
            await (await _again(known, scope, receive))(scope, receive, send)
        except FlawlineError as error:
            await error_response(error)(scope, receive, send)

    async def _do(self, digest: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """Do the request, and keep its answer where it succeeded."""
        body, answer = _Print(scope), _Answer()

        async def seen() -> Message:
            message = await receive()
            body.add(message)
            return message

        async def kept(message: Message) -> None:
            answer.add(message)
            if answer.over:
                # First stored, then sent: who has the answer gets the same one again.
                await asyncio.to_thread(self._keep, digest, body, answer)
            await send(message)

        try:
            await self._app(scope, seen, kept)
        except Exception:
            await asyncio.to_thread(self._answers.forget, digest)
            raise

    def _keep(self, digest: bytes, body: _Print, answer: _Answer) -> None:
        if 200 <= answer.status < 300 and len(answer.body) <= MOST_BODY:
            self._answers.finish(digest, body.digest(), answer.status, bytes(answer.body))
        else:
            self._answers.forget(digest)


class _Print:
    """The fingerprint of a request: of a form with files its length, since every client parts them in its own way."""

    def __init__(self, scope: Scope) -> None:
        headers = dict(scope["headers"])
        self._form = headers.get(b"content-type", b"").startswith(b"multipart/")
        self._hash, self._length = hashlib.sha256(scope.get("query_string", b"")), 0

    def add(self, message: Message) -> None:
        part = message.get("body", b"")
        self._length += len(part)
        if not self._form:
            self._hash.update(part)

    def digest(self) -> bytes:
        found = self._hash.copy()
        found.update(str(self._length).encode())
        return found.digest()


@dataclass
class _Answer:
    """An answer as it is sent."""

    status: int = 0
    body: bytearray = field(default_factory=bytearray)
    over: bool = False

    def add(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            return
        if len(self.body) <= MOST_BODY:
            self.body += message.get("body", b"")
        self.over = not message.get("more_body", False)


async def _again(known: StoredAnswer | None, scope: Scope, receive: Receive) -> Response:
    """Answer a request whose key is known.

    Raises:
        ServerError: ("in-progress") the first request is not answered; ("key-used") it was another one.
    """
    if known is None or known.status is None:
        raise ServerError(
            "the first request with this Idempotency-Key is not answered yet",
            hint="send it again in a moment; if the server was stopped meanwhile, look whether it was done, and send "
            "another key if not",
            code="in-progress",
            retry_after=1,
        )
    body, more = _Print(scope), True
    while more:
        message = await receive()
        body.add(message)
        more = message["type"] == "http.request" and message.get("more_body", False)
    if body.digest() != known.request:
        raise ServerError(
            "this Idempotency-Key was sent with another request",
            hint="send a key of its own with each request",
            code="key-used",
        )
    return Response(known.body, known.status, {"Idempotent-Replayed": "true"}, "application/json")


def _key_of(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    if not scope["path"].startswith("/api/"):
        return None
    key = dict(scope["headers"]).get(HEADER.encode())
    return None if key is None else key.decode("latin-1")


def _check(path: str, key: str) -> None:
    if not 0 < len(key) <= MOST_KEY:
        raise ServerError(
            f"expected an Idempotency-Key of 1 to {MOST_KEY} characters, got {len(key)}",
            hint="send a random name such as a UUID",
            code="usage",
        )
    if _SECRET.fullmatch(path):
        raise ServerError(
            "this address takes no Idempotency-Key: its answer holds a secret, which is not kept",
            hint="send it without",
            code="usage",
        )


def _digest(account: str, scope: Scope, key: str) -> bytes:
    parts = (account, scope["path"], key)
    return hashlib.sha256("\0".join(parts).encode()).digest()
