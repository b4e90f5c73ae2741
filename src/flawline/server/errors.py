"""Answer every failure in the JSON shape of the command line, with a fitting status."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from flawline.errors import FlawlineError, StoreError

_LOG = logging.getLogger("flawline.server")
_BY_CODE = {
    "store-unknown": 404,
    "picture-missing": 404,
    "not-found": 404,
    "job-unknown": 404,
    "product-unknown": 404,
    "camera-unknown": 404,
    "sign-in": 401,
    "rights": 403,
    "csrf": 403,
    "host": 421,
    "too-large": 413,
    "busy": 429,
    "too-often": 429,
    "record-repeated": 409,
    "in-progress": 409,
    "label-conflict": 409,
    "label-write": 507,
    "changed": 409,
    "stopping": 503,
}
_PHRASES = {404: "not-found", 405: "method", 413: "too-large", 415: "media-type"}


class ServerError(FlawlineError):
    """A request that cannot be answered; `retry_after` is in seconds."""

    code = "request"

    def __init__(
        self, message: str, *, hint: str = "", code: str, retry_after: int | None = None
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.retry_after = retry_after


def status_of(error: FlawlineError) -> int:
    """Give the HTTP status of a failure."""
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    if isinstance(error, StoreError):
        return 503 if error.transient else 500
    return 422


def error_response(error: FlawlineError) -> JSONResponse:
    """Make the JSON answer to a request that failed."""
    headers = {}
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    if error.code == "sign-in":
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": error.as_dict()}, status_of(error), headers)


def add_error_handlers(app: FastAPI) -> None:
    """Let every failure of a route be answered in one shape."""

    def expected(request: Request, error: Exception) -> Response:
        assert isinstance(error, FlawlineError)
        return _page(request, error) or error_response(error)

    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:]) or "the body"
        shown = FlawlineError(
            f"expected another value for {place}: {first['msg']}",
            hint="/docs lists what each address takes",
            code="usage",
        )
        return _page(request, shown) or error_response(shown)

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 303:
            return Response(status_code=303, headers=error.headers)
        shown = FlawlineError(str(error.detail), code=_PHRASES.get(error.status_code, "request"))
        answer = JSONResponse({"error": shown.as_dict()}, error.status_code, error.headers)
        return _page(request, shown, error.status_code) or answer

    def unexpected(_request: Request, error: Exception) -> Response:
        _LOG.error("a request failed", exc_info=error)
        shown = FlawlineError(
            f"unexpected {type(error).__name__}",
            hint="this is a fault of Flawline; the log of the server has the details",
            code="internal",
        )
        return JSONResponse({"error": shown.as_dict()}, 500)

    app.add_exception_handler(FlawlineError, expected)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)


def _page(request: Request, error: FlawlineError, status: int | None = None) -> Response | None:
    """Show the failure on a page where a page was asked for; None for the API."""
    if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
        return None
    if request.url.path.startswith("/api/"):
        return None
    from flawline.server.page import error_page

    return error_page(request, error, status or status_of(error))
