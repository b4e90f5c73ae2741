"""The page to sign in."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from flawline.server.page import render

router = APIRouter(include_in_schema=False)


@router.get("/sign-in", response_class=HTMLResponse)
def sign_in(request: Request, to: str = "/") -> HTMLResponse:
    """Show the form; a one-time link carries its secret behind #, which no log of a server sees."""
    # Only addresses of this server: //elsewhere would lead away.
    back = to if to.startswith("/") and not to.startswith(("//", "/\\")) else "/"
    return render(request, "sign_in.html", None, back=back)
