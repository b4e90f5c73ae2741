"""Send events as HTTP POSTs of JSON."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin, urlsplit

from flawline.errors import UsageError
from flawline.outputs.events import Message, message_id
from flawline.outputs.output import MOST, Failure, OutputKind, Say, secret_entry
from flawline.recipe.checks import number, text
from flawline.recipe.entries import Section, entry

if TYPE_CHECKING:
    import ssl

T = TypeVar("T")

TIMEOUT = 10.0
LONGEST_PAUSE = 3600.0
REDIRECTS = 10
# The receiver refuses this very message; after any other answer a later try may succeed.
_REFUSED = (400, 413, 415, 422)


@dataclass(frozen=True, slots=True)
class Webhook:
    """POST each event as JSON to `url`, which is http or https.

    `token` is sent as a bearer token. With `secret` the header `Flawline-Signature` holds `t=SECONDS,v1=HEX`: the
    HMAC-SHA256 under the secret of the seconds since 1970, a full stop and the body. `Idempotency-Key` is the same in
    every copy of a message. `timeout` is in seconds, for the whole attempt, from the name of the host to the answer. A
    redirect is followed only to the same scheme, host and port, and only where it keeps the POST (307, 308).

    Raises:
        UsageError: the URL is not http or https, or holds a password; or no header can hold token or secret.
    """

    url: str
    token: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    timeout: float = TIMEOUT
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        """Refuse a URL, token or secret that cannot be sent."""
        origin(self.url)
        for given in (self.token, self.secret):
            if not given.isprintable() or not given.isascii():
                raise UsageError(
                    "a token or secret of a webhook holds characters that no header can"
                )

    @property
    def name(self) -> str:
        """Name the output for people, without the path, which is often a secret."""
        parts = urlsplit(self.url)
        return f"webhook:{parts.scheme}://{parts.hostname}{'' if parts.port is None else f':{parts.port}'}"

    @property
    def place(self) -> str:
        """Return the URL."""
        return self.url

    def open(self) -> None:
        """Load the HTTP library and the trusted certificates."""
        import httpx  # noqa: F401

        _trusted()

    def close(self) -> None:
        """Do nothing: no connection stays open between messages."""

    def send(self, message: Message) -> Failure | None:
        """POST one event; every answer of 200 to 299 means that it arrived."""
        import httpx

        body = json.dumps(dict(message), ensure_ascii=False, allow_nan=False).encode()
        try:
            status, asked = _run(self._post(body, self._headers(message, body)))
        except TimeoutError:
            return Failure(f"timed out after {self.timeout:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Failure(_reason(error))
        return None if 200 <= status < 300 else _answered(status, asked)

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """Return the status of the answer, and its header Retry-After."""
        import asyncio

        import httpx

        url, status, asked = self.url, 0, ""
        async with (
            asyncio.timeout(self.timeout),
            httpx.AsyncClient(verify=_trusted(), timeout=None) as client,
        ):
            for _ in range(REDIRECTS):
                async with client.stream("POST", url, content=body, headers=headers) as answer:
                    status, place = answer.status_code, answer.headers.get("Location", "")
                    asked = answer.headers.get("Retry-After", "").strip()
                if status not in (307, 308) or not _same(url, urljoin(url, place)):
                    break
                url = urljoin(url, place)
        return status, asked

    def _headers(self, message: Message, body: bytes) -> dict[str, str]:
        from flawline.version import __version__

        digest = hashlib.sha256(message_id(message).encode()).hexdigest()[:32]
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": f"flawline/{__version__}",
            "Idempotency-Key": digest,
        }
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.secret:
            headers["Flawline-Signature"] = signature(self.secret, int(self.clock()), body)
        return headers


def signature(secret: str, seconds: int, body: bytes) -> str:
    """Sign a body; the seconds since 1970 protect against replay of an old message."""
    signed = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={signed.hexdigest()}"


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of a URL.

    Raises:
        UsageError: it is not http or https, or holds a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        parts, port = urlsplit(""), None
    plain = all(" " < character < "\x7f" for character in url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise UsageError(
            "expected a webhook such as https://host/path, got another kind of URL",
            hint="only http and https are sent to; other characters are written as %XX",
        )
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "a webhook's URL holds a user or password",
            hint="put a token into the environment variable FLAWLINE_WEBHOOK_TOKEN",
        )
    return parts.scheme, parts.hostname.lower(), port


def _same(one: str, other: str) -> bool:
    """Whether two URLs are of one origin; no other one gets the message and the token."""
    try:
        return other != one and origin(one) == origin(other)
    except UsageError:
        return False


def _answered(status: int, asked: str) -> Failure:
    if 300 <= status < 400:
        return Failure(f"the receiver answered {status} and sends elsewhere; give that URL")
    pause = min(float(asked), LONGEST_PAUSE) if asked.isdecimal() else 0.0
    return Failure(f"the receiver answered {status}", status not in _REFUSED, pause)


def _reason(error: BaseException) -> str:
    """Return the root cause of an error, without the URL."""
    name = type(error).__name__
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return f"{name}: {os.strerror(error.errno)}"
    return f"{name}: {error}"


@cache
def _trusted() -> ssl.SSLContext:
    """Load the certificates of the system, to which a plant may add its own, or those of SSL_CERT_FILE."""
    import ssl

    return ssl.create_default_context()


def _run(work: Coroutine[object, object, T]) -> T:
    """Run a coroutine in a loop of its own; unlike `asyncio.run` this does not wait for a name server at the end."""
    import asyncio

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@dataclass(frozen=True, slots=True)
class WebhookEntries(Section):
    """webhook: HTTP POSTs of JSON."""

    url: str = entry(text(MOST), "The address, http or https; without user and password")
    token: str | None = secret_entry("Sent as a bearer token")
    secret: str | None = secret_entry("Signs each message, in the header Flawline-Signature")
    timeout: float = entry(number("s", 0, 600), "The whole attempt takes at most so long", TIMEOUT)


def _open(entries: WebhookEntries, say: Say) -> Webhook:
    return Webhook(entries.url, entries.token or "", entries.secret or "", entries.timeout)


KIND = OutputKind(WebhookEntries, _open, "webhook:URL", "url")
