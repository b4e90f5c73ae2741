"""Say who a request comes from, and what they may do."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request

from flawline.records.accounts import ROLES, Account, Action, Role
from flawline.server.credentials import csrf_of, digest
from flawline.server.errors import ServerError
from flawline.server.state import ServerState, state_of

COOKIE = "flawline_session"
SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who a request comes from: `role` is what they may do here; `csrf` is empty for programs with a token."""

    account: Account
    role: Role
    csrf: str
    address: str

    def may(self, role: Role) -> bool:
        """Whether the visitor has the rights of a role."""
        return ROLES.index(self.role) >= ROLES.index(role)


def visitor_of(request: Request) -> Visitor | None:
    """Find who a request comes from, by its token or session; None for strangers."""
    state, now = state_of(request), datetime.now(UTC)
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    address = request.client.host if request.client else ""
    if kind:
        if kind.casefold() != "bearer" or not token:
            return None
        found = state.store.accounts.credential_of(digest(token.strip()), "token", now)
        return None if found is None else Visitor(found.account, found.role, "", address)
    session = request.cookies.get(COOKIE)
    if not session:
        return None
    found = state.store.accounts.credential_of(digest(session), "session", now)
    if found is None:
        return None
    return Visitor(found.account, found.role, csrf_of(session), address)


def needs(role: Role) -> Callable[[Request], Visitor]:
    """Make a dependency that lets in visitors with the rights of a role.

    Its errors are ServerError: ("sign-in") a stranger; ("rights") a role that is too low; ("csrf") a form or script
    that did not come from a page of this server.
    """

    def check(request: Request) -> Visitor:
        visitor = visitor_of(request)
        if visitor is None:
            raise ServerError(
                "sign in first",
                hint="open /sign-in, or send a token as `Authorization: Bearer ...`",
                code="sign-in",
            )
        if not visitor.may(role):
            raise ServerError(
                f"this takes the rights of {role}, and {visitor.account.name} has those of {visitor.role}",
                hint="an admin can change the role",
                code="rights",
            )
        if visitor.csrf and request.method not in SAFE:
            check_csrf(request, visitor.csrf)
        return visitor

    check.__name__ = f"needs_{role}"
    return check


def check_csrf(request: Request, expected: str) -> None:
    """Refuse a change that another site could have sent."""
    given = request.headers.get("x-csrf-token", "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise ServerError(
            "this did not come from a page of this server",
            hint="reload the page and try again",
            code="csrf",
        )


def note(state: ServerState, visitor: Visitor, what: str, about: str = "") -> None:
    """Add a line to the audit trail."""
    state.store.accounts.note(
        Action(datetime.now(UTC), visitor.account.name, what, about, visitor.address)
    )


Viewer = Annotated[Visitor, Depends(needs("viewer"))]
Operator = Annotated[Visitor, Depends(needs("operator"))]
Engineer = Annotated[Visitor, Depends(needs("engineer"))]
Admin = Annotated[Visitor, Depends(needs("admin"))]
State = Annotated[ServerState, Depends(state_of)]
