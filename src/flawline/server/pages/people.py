"""The pages of one's own account and of everybody's."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from flawline.server.access import State
from flawline.server.page import PageAdmin, PageViewer, render
from flawline.server.routes.accounts import audit_trail, list_accounts, list_tokens

router = APIRouter(include_in_schema=False)


@router.get("/account", response_class=HTMLResponse)
def account(request: Request, state: State, visitor: PageViewer) -> HTMLResponse:
    """Show one's own account: password and tokens."""
    tokens = list_tokens(state, visitor)["tokens"]
    return render(request, "account.html", visitor, tokens=tokens)


@router.get("/people", response_class=HTMLResponse)
def people(request: Request, state: State, visitor: PageAdmin) -> HTMLResponse:
    """Show all accounts and what was done last."""
    return render(
        request,
        "people.html",
        visitor,
        accounts=list_accounts(state, visitor)["accounts"],
        actions=audit_trail(state, visitor, count=50)["actions"],
    )
