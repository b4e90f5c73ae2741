"""Alerts as HTTP POSTs of JSON."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message as Headers
from typing import IO, Any
from urllib.parse import urlsplit

from flawline.errors import UsageError
from flawline.outputs.output import Failure, Message, message_id

TIMEOUT = 10.0
LONGEST_PAUSE = 3600.0
# The receiver understood and will not take this very message; after any other answer a try later may do.
_REFUSED = (400, 413, 415, 422)
_ANSWER_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Webhook:
    """POSTs each alert as JSON to `url`, which is http or https.

    `token` goes along as a bearer token. With `secret` the header `Flawline-Signature` holds `t=SECONDS,v1=HEX`: the
    HMAC-SHA256 under the secret of the seconds since 1970, a full stop and the body. `Idempotency-Key` is the same in
    every copy of a message. `timeout` is in seconds, for each wait on the network. A redirect is followed only to
    the same scheme, host and port, and only where it keeps the POST (307, 308).

    Raises:
        UsageError: the URL is none of http or https, or holds a password.
    """

    url: str
    token: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    timeout: float = TIMEOUT
    clock: Callable[[], float] = time.time
    slow: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be asked."""
        origin(self.url)
        for text in (self.token, self.secret):
            if not text.isprintable() or not text.isascii():
                raise UsageError(
                    "a token or secret of a webhook holds characters that no header can"
                )

    @property
    def name(self) -> str:
        """As a person may see it: the way behind the host is often a secret."""
        parts = urlsplit(self.url)
        return f"webhook:{parts.scheme}://{parts.hostname}{'' if parts.port is None else f':{parts.port}'}"

    def send(self, message: Message) -> Failure | None:
        """POST one alert; every answer of 200 to 299 means that it arrived."""
        body = json.dumps(dict(message), ensure_ascii=False, allow_nan=False).encode()
        request = urllib.request.Request(
            self.url, body, self._headers(message, body), method="POST"
        )
        opener = urllib.request.build_opener(_SameOrigin)
        try:
            with opener.open(request, timeout=self.timeout) as answer:
                answer.read(_ANSWER_BYTES)
        except urllib.error.HTTPError as error:
            error.close()
            return _answered(error)
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            return Failure(f"{type(error).__name__}: {reason}")
        return None

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
    """The signature of a body; the seconds since 1970 keep an old message from being played again."""
    signed = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={signed.hexdigest()}"


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of a URL.

    Raises:
        UsageError: it is none of http or https, or holds a password.
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


def _answered(error: urllib.error.HTTPError) -> Failure:
    if 300 <= error.code < 400:
        return Failure(f"the receiver answered {error.code} and sends elsewhere; give that URL")
    again = error.code not in _REFUSED
    asked = (error.headers.get("Retry-After") or "").strip()
    pause = min(float(asked), LONGEST_PAUSE) if asked.isdecimal() else 0.0
    return Failure(f"the receiver answered {error.code}", again, pause)


class _SameOrigin(urllib.request.HTTPRedirectHandler):
    """Goes on to where the same host sends a POST; to nobody else, for they would get the alert and the token."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Headers,
        newurl: str,
    ) -> Any:
        try:
            same = origin(newurl) == origin(req.full_url)
        except UsageError:
            same = False
        if code not in (307, 308) or not same:
            raise urllib.error.HTTPError(req.full_url, code, msg, headers, fp)
        return urllib.request.Request(newurl, req.data, dict(req.header_items()), method="POST")
