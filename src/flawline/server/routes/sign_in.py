"""Sign in by password or one-time link, and out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from flawline.records.accounts import Account, Action
from flawline.server.access import COOKIE, State, Viewer, note
from flawline.server.credentials import csrf_of, digest, is_password, new_secret
from flawline.server.errors import ServerError
from flawline.server.state import ServerState

router = APIRouter(prefix="/api", tags=["sign-in"])


class SignIn(BaseModel):
    """Name and password."""

    name: str = Field(max_length=64)
    password: str = Field(max_length=256)


class Link(BaseModel):
    """The secret of a one-time link."""

    link: str = Field(max_length=200)


@router.post("/sign-in")
def sign_in(body: SignIn, request: Request, state: State) -> Response:
    """Begin a session by name and password."""
    address = request.client.host if request.client else ""
    state.sign_ins.check(f"address {address}")
    state.sign_ins.check(f"name {body.name.casefold()}")
    found = state.store.accounts.find(body.name)
    known = None if found is None or found.disabled else found.password
    if not is_password(known, body.password) or found is None:
        _note(state, body.name, "sign-in refused", address)
        raise ServerError(
            "there is no account of this name and password",
            hint="an admin can make you a new link",
            code="sign-in",
        )
    return _begin(request, state, found)


@router.post("/sign-in/link")
def use_link(body: Link, request: Request, state: State) -> Response:
    """Begin a session by a one-time link."""
    state.sign_ins.check(f"address {request.client.host if request.client else ''}")
    found = state.store.accounts.use_link(digest(body.link), datetime.now(UTC))
    if found is None:
        raise ServerError(
            "this link was used before, or is over",
            hint="ask an admin for another one, or start the server so that it prints a new link",
            code="sign-in",
        )
    return _begin(request, state, found)


@router.post("/sign-out", status_code=204)
def sign_out(request: Request, state: State, visitor: Viewer) -> Response:
    """End the session."""
    state.store.accounts.end(digest(request.cookies.get(COOKIE, "")), datetime.now(UTC))
    note(state, visitor, "sign out")
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE)
    return answer


def _begin(request: Request, state: ServerState, owner: Account) -> Response:
    """Begin a session: the answer sets its cookie, which scripts cannot read."""
    now, secret = datetime.now(UTC), new_secret()
    until = now + timedelta(hours=state.settings.session_hours)
    state.store.accounts.let_in(owner, "session", digest(secret), now, expires=until)
    _note(state, owner.name, "sign in", request.client.host if request.client else "")
    body: dict[str, Any] = {
        "name": owner.name,
        "role": owner.role,
        "has_password": owner.password is not None,
        "csrf": csrf_of(secret),
    }
    answer = JSONResponse(body)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=int(3600 * state.settings.session_hours),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


def _note(state: ServerState, who: str, what: str, address: str) -> None:
    state.store.accounts.note(Action(datetime.now(UTC), who, what, "", address))
