"""The pages where people settle doubtful parts: by keyboard, with a second look, and where they disagree."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from flawline.records.record import StoredRecord
from flawline.records.where import Where
from flawline.server.access import State
from flawline.server.page import UNDECIDED, PageOperator, render
from flawline.server.routes.records import record_as_dict
from flawline.server.state import ServerState
from flawline.station.second_looks import disagreements, second_looks

router = APIRouter(include_in_schema=False)
AHEAD = 50
DECIDED = 500
"""The newest parts with a decision, among which second looks and disagreements are sought."""
MOST_CLASSES = 9


@router.get("/review", response_class=HTMLResponse)
def review(
    request: Request,
    state: State,
    visitor: PageOperator,
    blind: bool = False,
    second: bool = False,
) -> HTMLResponse:
    """Show the oldest doubtful part that nobody has decided about, or one that a second person should see.

    `blind` hides what the machine and others say; a second look is always blind.
    """
    decided = _decided(state)
    seconds = second_looks(decided, visitor.account.name)
    if second:
        items, more = seconds[:AHEAD], len(seconds) > AHEAD
    else:
        page = state.store.page(UNDECIDED, count=AHEAD, newest=False)
        items, more = list(page.items), page.next is not None
    return render(
        request,
        "review.html",
        visitor,
        queue=[record_as_dict(kept) for kept in items],
        more=more,
        blind=blind or second,
        second=second,
        seconds=len(seconds),
        differing=len(disagreements(decided)),
        classes=_classes(state),
    )


@router.get("/review/disagreements", response_class=HTMLResponse)
def differing(request: Request, state: State, visitor: PageOperator) -> HTMLResponse:
    """Show the parts about which people disagree, with what each of them says."""
    found = disagreements(_decided(state))
    return render(
        request,
        "disagreements.html",
        visitor,
        found=[(record_as_dict(one.kept), dict(one.verdicts)) for one in found],
        among=DECIDED,
    )


def _decided(state: ServerState) -> tuple[StoredRecord, ...]:
    return state.store.page(Where(decided=True), count=DECIDED).items


def _classes(state: ServerState) -> list[str]:
    """List the classes of defects that the active recipes tell apart."""
    found = {
        name
        for product in state.products.active()
        if product.inspector.model.tells_classes
        for name in product.inspector.classes[1:]
    }
    return sorted(found)[:MOST_CLASSES]
