"""The page where a person settles doubtful parts, one at a time, by keyboard."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from flawline.server.access import State
from flawline.server.page import UNDECIDED, PageOperator, render
from flawline.server.routes.records import record_as_dict

router = APIRouter(include_in_schema=False)
AHEAD = 50


@router.get("/review", response_class=HTMLResponse)
def review(request: Request, state: State, visitor: PageOperator) -> HTMLResponse:
    """Show the oldest doubtful part that nobody has decided about."""
    page = state.store.page(UNDECIDED, count=AHEAD, newest=False)
    queue = [record_as_dict(kept) for kept in page.items]
    return render(request, "review.html", visitor, queue=queue, more=page.next is not None)
