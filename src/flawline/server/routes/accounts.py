"""Accounts, roles, passwords, tokens, and the audit trail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from flawline.records.accounts import Account, Role
from flawline.server.access import Admin, State, Viewer, note
from flawline.server.credentials import digest, hash_password, is_password, new_secret
from flawline.server.errors import ServerError
from flawline.server.state import LINK_HOURS

router = APIRouter(prefix="/api", tags=["accounts"])


class NewAccount(BaseModel):
    """Somebody who is to use the server."""

    name: str = Field(min_length=1, max_length=64)
    role: Role


class AccountChange(BaseModel):
    """What is to change about an account."""

    role: Role | None = None
    disabled: bool | None = None


class NewPassword(BaseModel):
    """A new password, and the present one where there is one."""

    password: str = Field(max_length=256)
    present: str = Field(default="", max_length=256)


class NewToken(BaseModel):
    """A token for a program: `role` is the most that it allows."""

    name: str = Field(min_length=1, max_length=64)
    role: Role
    days: int | None = Field(default=None, ge=1, le=3650)


@router.get("/me")
def me(visitor: Viewer) -> dict[str, Any]:
    """Show who is signed in."""
    return {
        "name": visitor.account.name,
        "role": visitor.role,
        "has_password": visitor.account.password is not None,
    }


@router.put("/me/password", status_code=204)
def set_password(body: NewPassword, state: State, visitor: Viewer) -> None:
    """Set one's own password; all sessions and tokens of the account end."""
    own = visitor.account
    if own.password is not None:
        state.sign_ins.check(f"password {own.name}")
        if not is_password(own.password, body.present):
            raise ServerError("the present password is another one", code="rights")
    hashed = hash_password(body.password)
    state.store.accounts.change(own.name, password=hashed, when=datetime.now(UTC))
    note(state, visitor, "set password")


@router.get("/me/tokens")
def list_tokens(state: State, visitor: Viewer) -> dict[str, Any]:
    """List one's own tokens, without their secrets."""
    return {
        "tokens": [
            {
                "id": one.id,
                "name": one.name,
                "role": one.role,
                "created": one.created.isoformat(),
                "expires": None if one.expires is None else one.expires.isoformat(),
            }
            for one in state.store.accounts.tokens(visitor.account)
        ]
    }


@router.post("/me/tokens", status_code=201)
def add_token(body: NewToken, state: State, visitor: Viewer) -> dict[str, Any]:
    """Make a token for a program; its secret is shown this once."""
    if not visitor.may(body.role):
        raise ServerError(
            f"a token cannot allow more than its maker may, {visitor.role}", code="rights"
        )
    now, secret = datetime.now(UTC), new_secret()
    until = None if body.days is None else now + timedelta(days=body.days)
    state.store.accounts.let_in(
        visitor.account,
        "token",
        digest(secret),
        now,
        name=body.name,
        role=body.role,
        expires=until,
    )
    note(state, visitor, "make token", f"{body.name} ({body.role})")
    return {"name": body.name, "role": body.role, "token": secret}


@router.delete("/me/tokens/{number}", status_code=204)
def end_token(number: int, state: State, visitor: Viewer) -> None:
    """End one of one's own tokens."""
    state.store.accounts.end_token(visitor.account, number, datetime.now(UTC))
    note(state, visitor, "end token", str(number))


@router.get("/accounts")
def list_accounts(state: State, _visitor: Admin) -> dict[str, Any]:
    """List all accounts."""
    return {"accounts": [_as_dict(one) for one in state.store.accounts.list()]}


@router.post("/accounts", status_code=201)
def add_account(body: NewAccount, request: Request, state: State, visitor: Admin) -> dict[str, Any]:
    """Add an account; the link in the answer lets its owner in once, to set a password."""
    now = datetime.now(UTC)
    made = state.store.accounts.add(body.name, body.role, now)
    note(state, visitor, "add account", f"{made.name} ({made.role})")
    return {**_as_dict(made), "link": _link(request, state, made, now)}


@router.patch("/accounts/{name}")
def change_account(name: str, body: AccountChange, state: State, visitor: Admin) -> dict[str, Any]:
    """Change the role of an account, or disable it."""
    changed = state.store.accounts.change(
        name, role=body.role, disabled=body.disabled, when=datetime.now(UTC)
    )
    note(state, visitor, "change account", f"{name}: {body.model_dump_json(exclude_none=True)}")
    return _as_dict(changed)


@router.post("/accounts/{name}/link", status_code=201)
def new_link(name: str, request: Request, state: State, visitor: Admin) -> dict[str, str]:
    """Make a link that lets somebody in once, such as after a lost password."""
    found = state.store.accounts.find(name)
    if found is None or found.disabled:
        raise ServerError(f"there is no account {name[:80]!r}", code="not-found")
    note(state, visitor, "make link", name)
    return {"link": _link(request, state, found, datetime.now(UTC))}


@router.get("/audit")
def audit_trail(
    state: State,
    _visitor: Admin,
    count: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: int | None = None,
) -> dict[str, Any]:
    """List who did what, the newest first."""
    found = state.store.accounts.actions(count=count, before=before)
    return {
        "actions": [
            {
                "id": number,
                "time": one.time.isoformat(),
                "who": one.who,
                "what": one.what,
                "about": one.about,
                "address": one.address,
            }
            for number, one in found
        ]
    }


def _link(request: Request, state: State, owner: Account, now: datetime) -> str:
    secret = new_secret()
    until = now + timedelta(hours=LINK_HOURS)
    state.store.accounts.let_in(owner, "link", digest(secret), now, expires=until)
    return f"{request.base_url}sign-in#{secret}"


def _as_dict(one: Account) -> dict[str, Any]:
    return {
        "name": one.name,
        "role": one.role,
        "created": one.created.isoformat(),
        "disabled": one.disabled,
        "has_password": one.password is not None,
    }
