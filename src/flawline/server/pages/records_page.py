"""The pages of records: a search, and one part with all that is known of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from flawline.errors import UsageError
from flawline.records.record import StoredRecord
from flawline.records.where import Where
from flawline.server.access import State
from flawline.server.page import PageViewer, render
from flawline.server.routes.records import record_as_dict
from flawline.server.search import parse_search

router = APIRouter(include_in_schema=False)
COUNT = 60


@router.get("/records", response_class=HTMLResponse)
def records(
    request: Request,
    state: State,
    visitor: PageViewer,
    q: Annotated[str, Query(max_length=500)] = "",
    after: Annotated[str | None, Query(max_length=200)] = None,
    view: str = "gallery",
) -> HTMLResponse:
    """Show the inspections that a search finds, the newest first, as pictures or as a table."""
    problem, where = "", Where()
    try:
        where = parse_search(q)
    except UsageError as error:
        problem = f"{error.message}: {error.hint}"
    page = state.store.page(where, after=after, count=COUNT)
    return render(
        request,
        "records.html",
        visitor,
        q=q,
        view="table" if view == "table" else "gallery",
        problem=problem,
        records=[record_as_dict(kept) for kept in page.items],
        next=page.next,
        after=after,
    )


@router.get("/records/{number}", response_class=HTMLResponse)
def record(number: int, request: Request, state: State, visitor: PageViewer) -> HTMLResponse:
    """Show one inspection: picture, heat, reasons, measures, decisions, and the part's other pictures."""
    kept = state.store.get(number)
    others: tuple[StoredRecord, ...] = ()
    if kept.record.part:
        same = Where(names={"part": kept.record.part})
        others = tuple(one for one in state.store.page(same, count=24).items if one.id != number)
    return render(
        request,
        "record.html",
        visitor,
        record=record_as_dict(kept),
        others=[record_as_dict(one) for one in others],
    )
